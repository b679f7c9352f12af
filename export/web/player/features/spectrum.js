// Squared magnitudes of a transform whose size is a power of two times a small odd number.
import { Fft } from "../synthesis/fft.js";

export class PowerSpectrum {
  constructor(size) {
    this.size = size;
    this.parts = size; // the odd number: as many transforms of every so-manieth sample
    while (this.parts % 2 === 0) this.parts /= 2;
    const step = size / this.parts;
    this.fft = new Fft(step);
    this.re = Array.from({ length: this.parts }, () => new Float64Array(step));
    this.im = Array.from({ length: this.parts }, () => new Float64Array(step));
    this.cos = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.sin = Float64Array.from({ length: size }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    this.power = new Float64Array(size / 2 + 1);
  }

  // Of `size` samples; the array is overwritten by the next call.
  of(samples) {
    const { size, parts, re, im, cos, sin, power } = this, step = size / parts;
    for (let part = 0; part < parts; part++) {
      for (let n = 0; n < step; n++) re[part][n] = samples[n * parts + part];
      im[part].fill(0);
      this.fft.forward(re[part], im[part]);
    }
    for (let k = 0; k < power.length; k++) {
      let x = 0, y = 0;
      for (let part = 0; part < parts; part++) {
        const a = re[part][k % step], b = im[part][k % step], turn = (part * k) % size;
        x += a * cos[turn] - b * sin[turn];
        y += a * sin[turn] + b * cos[turn];
      }
      power[k] = x * x + y * y;
    }
    return power;
  }
}
