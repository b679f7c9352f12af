// Harmonics: sines at whole multiples of a fundamental frequency. In hop i, sample n of hop, with frames i - 1
// (p) and i (c) and w = (1 - cos(pi n / hop)) / 2:
//   phase = phi + (n f_p + (f_c - f_p) n^2 / (2 hop)) / sample_rate, in cycles
//   audio = sum_k ((1 - w) A_p[k] + w A_c[k]) sin(2 pi k phase)
import { crossfade } from "./crossfade.js";

export class Harmonic {
  constructor(spec, harmonics) {
    this.spec = spec;
    this.harmonics = harmonics;
    this.fade = crossfade(spec.hop);
    this.before = new Float32Array(harmonics);
    this.now = new Float32Array(harmonics);
    this.reset();
  }

  reset() {
    this.phase = 0;
    this.f0 = null;
  }

  // Renders a hop of a frame into `out`.
  process({ amplitude, distribution, f0_hz }, out) {
    const { hop, sampleRate } = this.spec, { before, now } = this, f0 = f0_hz[0];
    before.set(now);
    for (let k = 0; k < this.harmonics; k++) now[k] = Math.fround(amplitude[0] * distribution[k]);
    if (this.f0 === null) {
      this.f0 = f0;
      before.set(now);
    }
    let top = this.harmonics;
    while (top > 0 && before[top - 1] === 0 && now[top - 1] === 0) top--;
    const bend = (f0 - this.f0) / (2 * hop);
    for (let n = 0; n < hop; n++) {
      let phase = this.phase + (n * this.f0 + n * n * bend) / sampleRate;
      phase -= Math.floor(phase);
      // sin((k + 1) x) = 2 cos(x) sin(k x) - sin((k - 1) x)
      const x = 2 * Math.PI * phase, twice = 2 * Math.cos(x);
      let past = 0, sine = Math.sin(x), p = 0, c = 0;
      for (let k = 0; k < top; k++) {
        p += before[k] * sine;
        c += now[k] * sine;
        const next = twice * sine - past;
        past = sine;
        sine = next;
      }
      out[n] = (1 - this.fade[n]) * p + this.fade[n] * c;
    }
    this.phase += ((this.f0 + f0) * hop) / (2 * sampleRate);
    this.phase -= Math.floor(this.phase);
    this.f0 = f0;
  }
}
