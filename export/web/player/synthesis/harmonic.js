// Harmonics: sines at whole multiples of a fundamental frequency. In hop i, sample n of hop, with frames i - 1
// (p) and i (c) and w = (1 - cos(pi n / hop)) / 2:
//   phase = phi + (n f_p + (f_c - f_p) n^2 / (2 hop)) / sample_rate, in cycles
//   audio = sum_k ((1 - w) A_p[k] + w A_c[k]) sin(2 pi k phase)
import { crossfade } from "./crossfade.js";

const AT_ONCE = 3; // samples whose sums are made side by side: as many as find room in the registers of a processor

export class Harmonic {
  constructor(spec, harmonics) {
    this.spec = spec;
    this.harmonics = harmonics;
    this.before = new Float64Array(harmonics);
    this.now = new Float64Array(harmonics);
    this.change = new Float64Array(harmonics);
    const length = AT_ONCE * Math.ceil(spec.hop / AT_ONCE);
    this.fade = new Float64Array(length);
    this.fade.set(crossfade(spec.hop));
    this.sine = new Float64Array(length); // of the fundamental
    this.twice = new Float64Array(length); // its cosine, doubled
    this.sums = new Float64Array(length);
    this.reset();
  }

  reset() {
    this.phase = 0;
    this.f0 = null;
  }

  // Renders a hop of a frame into `out`.
  process({ amplitude, distribution, f0_hz }, out) {
    const { hop, sampleRate } = this.spec, { before, now, change, sine, twice, sums } = this, f0 = f0_hz[0];
    before.set(now);
    for (let k = 0; k < this.harmonics; k++) now[k] = Math.fround(amplitude[0] * distribution[k]);
    if (this.f0 === null) {
      this.f0 = f0;
      before.set(now);
    }
    let top = 0;
    for (let k = 0; k < this.harmonics; k++) {
      change[k] = now[k] - before[k];
      if (before[k] !== 0 || now[k] !== 0) top = k + 1;
    }
    const bend = (f0 - this.f0) / (2 * hop);
    for (let n = 0; n < hop; n++) {
      let phase = this.phase + (n * this.f0 + n * n * bend) / sampleRate;
      phase -= Math.floor(phase);
      sine[n] = Math.sin(2 * Math.PI * phase);
      twice[n] = 2 * Math.cos(2 * Math.PI * phase);
    }
    this.sum(top);
    for (let n = 0; n < hop; n++) out[n] = sine[n] * sums[n];
    this.phase += ((this.f0 + f0) * hop) / (2 * sampleRate);
    this.phase -= Math.floor(this.phase);
    this.f0 = f0;
  }

  // sum_k A[k] sin(k x) = sin(x) b[1], where b[k] = A[k] + 2 cos(x) b[k + 1] - b[k + 2], from the top down (Clenshaw 1955).
  sum(top) {
    const { before, change, fade, twice, sums } = this;
    for (let n = 0; n < sums.length; n += AT_ONCE) {
      const u = twice[n], v = twice[n + 1], w = twice[n + 2], p = fade[n], q = fade[n + 1], r = fade[n + 2];
      let a = 0, b = 0, c = 0, pastA = 0, pastB = 0, pastC = 0;
      for (let k = top - 1; k >= 0; k--) {
        const start = before[k], more = change[k];
        const nextA = start + p * more - pastA + u * a, nextB = start + q * more - pastB + v * b;
        const nextC = start + r * more - pastC + w * c;
        pastA = a;
        pastB = b;
        pastC = c;
        a = nextA;
        b = nextB;
        c = nextC;
      }
      sums[n] = a;
      sums[n + 1] = b;
      sums[n + 2] = c;
    }
  }
}
