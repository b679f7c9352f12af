// Loudness of a window: its A-weighted mean square in dB, as ddsp_edge.features.loudness defines it.
import { PowerSpectrum } from "./spectrum.js";

const FLOOR = 1e-8; // power of -80 dB

function weighting(hz) {
  const f2 = hz * hz, [a, b, c, d] = [20.598997, 107.65265, 737.86223, 12194.217].map((pole) => pole * pole);
  const gain = (d * f2 * f2) / ((f2 + a) * (f2 + d) * Math.sqrt((f2 + b) * (f2 + c)));
  return gain * gain * 10 ** 0.2;
}

// Samples of the window: `ms`, or the 32 ms of the training data; a multiple of 64.
export function loudnessWindow(sampleRate, ms = null) {
  return Math.max(64, 64 * (ms === null ? Math.round((0.032 * sampleRate) / 64) : Math.floor((ms * 1e-3 * sampleRate) / 64)));
}

export class LoudnessMeter {
  constructor(sampleRate, size) {
    this.size = size;
    this.window = Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size));
    const energy = this.window.reduce((sum, w) => sum + w * w, 0);
    this.weights = Float64Array.from({ length: size / 2 + 1 }, (_, k) =>
      (weighting((k * sampleRate) / size) * (k === 0 || k === size / 2 ? 1 : 2)) / (size * energy));
    this.spectrum = new PowerSpectrum(size);
    this.windowed = new Float64Array(size);
  }

  // dB of `size` samples of `audio` from `start` on.
  measure(audio, start) {
    for (let n = 0; n < this.size; n++) this.windowed[n] = audio[start + n] * this.window[n];
    const power = this.spectrum.of(this.windowed);
    let sum = FLOOR;
    for (let k = 0; k < power.length; k++) sum += power[k] * this.weights[k];
    return 10 * Math.log10(sum);
  }
}
