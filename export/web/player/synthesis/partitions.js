// Convolution with taps of which the first comes `size` samples late, in the frequency domain: in partitions of `size`
// taps each, whose sum over a partition of sound is due when the next one begins.
import { Fft } from "./fft.js";

export class Partitions {
  constructor(taps, size) {
    this.size = size;
    this.fft = new Fft(2 * size);
    this.spectra = Array.from({ length: Math.ceil(taps.length / size) }, (_, part) => {
      const spectrum = this.empty();
      spectrum.re.set(taps.subarray(size * part, size * (part + 1)));
      this.fft.forward(spectrum.re, spectrum.im);
      return spectrum;
    });
    this.line = this.spectra.map(() => this.empty()); // spectra of what was heard
    this.sum = this.empty();
    this.heard = new Float64Array(size);
    this.due = new Float64Array(size);
    this.tail = new Float64Array(size);
    this.reset();
  }

  empty() {
    return { re: new Float64Array(2 * this.size), im: new Float64Array(2 * this.size) };
  }

  reset() {
    for (const values of [this.heard, this.due, this.tail]) values.fill(0);
    for (const { re, im } of this.line) {
      re.fill(0);
      im.fill(0);
    }
    this.place = 0; // in the partition that is coming in
    this.newest = 0;
  }

  // Takes sound, and adds to `out` what is due.
  process(audio, out) {
    for (let n = 0; n < audio.length; n++) {
      out[n] += this.due[this.place];
      this.heard[this.place++] = audio[n];
      if (this.place === this.size) this.convolve();
    }
  }

  convolve() {
    const { size, line, spectra, sum, fft } = this, parts = line.length;
    this.place = 0;
    this.newest = (this.newest + parts - 1) % parts;
    const fresh = line[this.newest];
    fresh.re.fill(0);
    fresh.im.fill(0);
    fresh.re.set(this.heard);
    fft.forward(fresh.re, fresh.im);
    sum.re.fill(0);
    sum.im.fill(0);
    for (let part = 0; part < parts; part++) addProduct(line[(this.newest + part) % parts], spectra[part], sum, size);
    for (let i = 1; i < size; i++) { // sounds are real: the other half is the same, conjugate
      sum.re[2 * size - i] = sum.re[i];
      sum.im[2 * size - i] = -sum.im[i];
    }
    fft.inverse(sum.re, sum.im);
    for (let i = 0; i < size; i++) {
      this.due[i] = sum.re[i] + this.tail[i];
      this.tail[i] = sum.re[size + i];
    }
  }
}

// Of the bins from 0 Hz to half the sample rate. Each value is read once: a sum that is written might be any of them.
function addProduct(one, other, { re, im }, last) {
  const { re: a, im: b } = one, { re: c, im: d } = other;
  for (let i = 0; i <= last; i++) {
    const x = a[i], y = b[i], u = c[i], v = d[i];
    re[i] += x * u - y * v;
    im[i] += x * v + y * u;
  }
}
