// A room: convolution with a long impulse response, without delay. The first taps are summed sample by sample;
// those that follow in the frequency domain, in partitions whose sum is due when the next one begins (Gardner 1995).
import { Fft } from "./fft.js";

const NEAR = 512; // taps; as many as the far partitions have

export class Reverb {
  constructor(spec, response) {
    this.spec = spec;
    this.near = Float64Array.from(response.subarray(0, NEAR)).reverse();
    this.past = new Float64Array(2 * NEAR); // each sample twice, so that the last ones stand in a row
    this.parts = Math.ceil(Math.max(0, response.length - NEAR) / NEAR);
    this.fft = new Fft(2 * NEAR);
    this.spectra = Array.from({ length: this.parts }, (_, part) => {
      const spectrum = this.empty();
      spectrum.re.set(response.subarray(NEAR * (part + 1), NEAR * (part + 2)));
      this.fft.forward(spectrum.re, spectrum.im);
      return spectrum;
    });
    this.line = Array.from({ length: this.parts }, () => this.empty());
    this.sum = this.empty();
    this.heard = new Float64Array(NEAR);
    this.due = new Float64Array(NEAR);
    this.tail = new Float64Array(NEAR);
    this.reset();
  }

  get tailSamples() {
    return NEAR * (this.parts + 1);
  }

  empty() {
    return { re: new Float64Array(2 * NEAR), im: new Float64Array(2 * NEAR) };
  }

  reset() {
    for (const values of [this.past, this.heard, this.due, this.tail]) values.fill(0);
    for (const { re, im } of this.line) {
      re.fill(0);
      im.fill(0);
    }
    this.place = 0; // in the partition that is coming in, and in the ring of the past
    this.newest = 0;
  }

  process({ audio }, out) {
    const { near, past } = this;
    for (let n = 0; n < audio.length; n++) {
      past[this.place] = past[this.place + NEAR] = audio[n];
      const first = this.place + NEAR + 1 - near.length;
      let a = this.due[this.place], b = 0, tap = 0;
      for (; tap + 1 < near.length; tap += 2) {
        a += near[tap] * past[first + tap];
        b += near[tap + 1] * past[first + tap + 1];
      }
      if (tap < near.length) a += near[tap] * past[first + tap];
      out[n] = a + b;
      this.heard[this.place] = audio[n];
      this.place = (this.place + 1) % NEAR;
      if (this.place === 0 && this.parts) this.convolve();
    }
  }

  convolve() {
    const { parts, line, spectra, sum, fft } = this;
    this.newest = (this.newest + parts - 1) % parts;
    const fresh = line[this.newest];
    fresh.re.fill(0);
    fresh.im.fill(0);
    fresh.re.set(this.heard);
    fft.forward(fresh.re, fresh.im);
    sum.re.fill(0);
    sum.im.fill(0);
    for (let part = 0; part < parts; part++) {
      const x = line[(this.newest + part) % parts], h = spectra[part];
      for (let i = 0; i < 2 * NEAR; i++) {
        sum.re[i] += x.re[i] * h.re[i] - x.im[i] * h.im[i];
        sum.im[i] += x.re[i] * h.im[i] + x.im[i] * h.re[i];
      }
    }
    fft.inverse(sum.re, sum.im);
    for (let i = 0; i < NEAR; i++) {
      this.due[i] = sum.re[i] + this.tail[i];
      this.tail[i] = sum.re[NEAR + i];
    }
  }
}
