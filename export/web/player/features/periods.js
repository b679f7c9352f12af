// The periods after which a window repeats itself, as ddsp_edge.features.window_periods finds them.
import { PlayerError } from "../errors.js";
import { Autocorrelation, fftSize } from "./correlation.js";
import { hearOver, SAME } from "./ringing.js";

const OCTAVE_DOWN = 0.03, MULTIPLE = 0.3, MULTIPLE_WITHIN = 0.1, LEAP_MULTIPLE_WITHIN = 0.2, FAST_RATE = 32000;
const SILENT = 1e-9, LEAP_PARTS = [5, 7];
export const MIDDLE_S = 0.008;

// Of tuples, as Python has it.
export const inOrder = (a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

export class WindowPeriods {
  constructor(sampleRate, f0Min, f0Max, count) {
    this.f0Max = Math.min(f0Max, sampleRate / 4);
    this.count = count;
    this.steps = sampleRate < FAST_RATE ? 2 : 1;
    this.lagsPerSecond = this.steps * sampleRate;
    this.shortest = Math.max(2, Math.floor(this.lagsPerSecond / this.f0Max) - 1);
    const last = Math.ceil(sampleRate / f0Min) + 1;
    this.longest = this.steps * last;
    if (!(f0Min >= 10 && f0Min < f0Max) || this.longest - this.shortest <= count) {
      throw new PlayerError(`pitches from ${f0Min} to ${f0Max} Hz cannot be tracked at ${sampleRate} Hz`);
    }
    this.size = 2 * last;
    this.correlation = new Autocorrelation(this.size, last + 1, this.steps, fftSize(this.size + last + 1));
    this.scale = 2 * this.steps; // the difference is 1 + scale * likeness
    this.preference = Float64Array.from({ length: this.longest - this.shortest }, (_, i) =>
      (OCTAVE_DOWN * Math.log2((i + this.shortest) / this.shortest)) / this.scale);
    const middle = Math.min(this.size, Math.round(MIDDLE_S * sampleRate));
    this.middle = [Math.floor((this.size - middle) / 2), middle];
    this.x = new Float64Array(this.size);
    this.likeness = new Float64Array(this.longest + 1);
    this.known = 0; // Hz, the pitch that sounded so far
  }

  // Of the window of `audio` that begins at `start`: candidates [cost, f0, depth], those of the least cost first,
  // the mean square, and that of the 8 ms in the middle.
  search(audio, start) {
    const { size, steps, x, likeness, scale } = this;
    let mean = 0;
    for (let n = 0; n < size; n++) mean += audio[start + n];
    mean /= size;
    for (let n = 0; n < size; n++) x[n] = audio[start + n] - mean;
    const correlation = this.correlation.measure(x), energy = correlation[0];
    // With each lag the difference loses a sample at either end; between two lags, half of both.
    let rest = -scale * Math.max(energy, SILENT);
    likeness[0] = correlation[0] / rest;
    for (let lag = 1; lag <= this.longest; lag++) {
      const n = Math.floor((lag - 1) / steps);
      rest += x[n] * x[n] + x[size - 1 - n] * x[size - 1 - n];
      likeness[lag] = correlation[lag] / rest;
    }
    const [first, length] = this.middle;
    let middle = 0;
    for (let n = first; n < first + length; n++) middle += x[n] * x[n];
    return { candidates: this.candidates(energy), meanSquare: energy / size, middle: middle / length };
  }

  candidates(energy) {
    const found = this.minima(energy).sort(inOrder), { known } = this;
    if (!known || !found.length || Math.abs(found[0][1] - known) <= SAME * known) return found;
    const likenessAt = (lag) => {
      const place = Math.floor(lag), low = this.likeness[place], high = this.likeness[place + 1];
      return -this.scale * (low + (lag - place) * (high - low));
    };
    return hearOver(known, found, likenessAt, this.lagsPerSecond, this.longest - 1).sort(inOrder);
  }

  // The least likeness about a part of a lag.
  about(lag, parts) {
    const at = this.likeness, part = Math.floor(lag / parts);
    return part < this.shortest ? Infinity : Math.min(at[part - 1], at[part], at[part + 1], at[part + 2]);
  }

  minima(energy) {
    if (energy < SILENT) return [];
    const { likeness: at, shortest, longest, scale, lagsPerSecond: rate, known } = this, best = [];
    for (let place = shortest; place < longest; place++) {
      if (at[place] < at[place - 1] && at[place + 1] >= at[place]) best.push([at[place] + this.preference[place - shortest], place, 0]);
    }
    best.sort(inOrder).length = Math.min(best.length, this.count);
    const sooner = known ? (rate / known) * (1 - SAME) : 0, later = known ? (rate / known) * (1 + SAME) : Infinity;
    return best.map(([value, place]) => {
      const low = at[place - 1], middle = at[place], high = at[place + 1], slope = low - high;
      const shift = (0.5 * slope) / Math.max(low - 2 * middle + high, 1e-12);
      const depth = Math.max(1 + scale * (middle - 0.25 * slope * shift), 0), lag = place + shift;
      let cost = depth + scale * (value - middle);
      const near = Math.min(this.about(lag, 2), this.about(lag, 3));
      if (near < Infinity) {
        let more = 1 + scale * near - depth, within = MULTIPLE_WITHIN;
        if (lag < sooner || lag > later) {
          within = LEAP_MULTIPLE_WITHIN;
          const nearest = Math.min(0, ...LEAP_PARTS.map((parts) => this.about(lag, parts)));
          if (more > 0.02) more = Math.min(more, 1 + scale * nearest - depth);
        }
        if (more < within) cost += MULTIPLE * Math.min(1 - more / within, 1);
      }
      return [cost, rate / lag, depth];
    });
  }
}
