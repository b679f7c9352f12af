// A room: convolution with a long impulse response, without delay. The first taps are summed sample by sample;
// those that follow in the frequency domain, in partitions whose sum is due when the next one begins (Gardner 1995).
import { Fft } from "./fft.js";

const NEAR = 512; // taps; as many as the far partitions have

export class Reverb {
  constructor(spec, response) {
    this.spec = spec;
    this.near = Float64Array.from(response.subarray(0, NEAR)).reverse();
    this.row = new Float64Array(this.near.length - 1 + spec.hop); // what was before a hop, and the hop
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
    for (const values of [this.row, this.heard, this.due, this.tail]) values.fill(0);
    for (const { re, im } of this.line) {
      re.fill(0);
      im.fill(0);
    }
    this.place = 0; // in the partition that is coming in
    this.newest = 0;
  }

  // Takes a hop.
  process({ audio }, out) {
    const { row, near } = this, before = near.length - 1;
    row.set(audio, before);
    for (let n = 0; n < audio.length; n++) {
      out[n] = this.due[this.place];
      this.heard[this.place] = audio[n];
      this.place = (this.place + 1) % NEAR;
      if (this.place === 0 && this.parts) this.convolve();
    }
    addNear(row, near, out);
    row.copyWithin(0, audio.length);
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
    for (let part = 0; part < parts; part++) addProduct(line[(this.newest + part) % parts], spectra[part], sum);
    for (let i = 1; i < NEAR; i++) { // sounds are real: the other half is the same, conjugate
      sum.re[2 * NEAR - i] = sum.re[i];
      sum.im[2 * NEAR - i] = -sum.im[i];
    }
    fft.inverse(sum.re, sum.im);
    for (let i = 0; i < NEAR; i++) {
      this.due[i] = sum.re[i] + this.tail[i];
      this.tail[i] = sum.re[NEAR + i];
    }
  }
}

// Of the bins from 0 Hz to half the sample rate.
function addProduct({ re: a, im: b }, { re: c, im: d }, { re, im }) {
  for (let i = 0; i <= NEAR; i++) {
    re[i] += a[i] * c[i] - b[i] * d[i];
    im[i] += a[i] * d[i] + b[i] * c[i];
  }
}

// The first taps, four samples at a time: each value is read once for four.
function addNear(row, near, out) {
  let n = 0;
  for (; n + 3 < out.length; n += 4) {
    let a = 0, b = 0, c = 0, d = 0, x = row[n], y = row[n + 1], z = row[n + 2];
    for (let tap = 0; tap < near.length; tap++) {
      const h = near[tap], w = row[n + 3 + tap];
      a += h * x;
      b += h * y;
      c += h * z;
      d += h * w;
      x = y;
      y = z;
      z = w;
    }
    out[n] += a;
    out[n + 1] += b;
    out[n + 2] += c;
    out[n + 3] += d;
  }
  for (; n < out.length; n++) for (let tap = 0; tap < near.length; tap++) out[n] += near[tap] * row[n + tap];
}
