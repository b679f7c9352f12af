// The pitch of a stream, frame by frame: the path of ddsp_edge.features.pitch through the candidates of each window.
import { framesFor } from "../frames.js";
import { inOrder, MIDDLE_S, WindowPeriods } from "./periods.js";

const CANDIDATES = 6, AUDIBLE = 1e-7, UNVOICED = 0.6, GLIDE = 1, GLIDE_OCTAVES = 1 / 24, LEAP = 0.6, LEAP_OCTAVE = 0.3;
const ONSET = 0.3, EMPTY = 0.5, KNOWN_S = 0.1;
export const VOICED = 0.5;

export class PitchTracker {
  constructor(spec, f0Min, f0Max, lookaheadFrames) {
    const { sampleRate, hop } = spec;
    this.finder = new WindowPeriods(sampleRate, f0Min, f0Max, CANDIDATES);
    this.size = this.finder.size;
    this.lookahead = lookaheadFrames;
    this.knownFrames = framesFor(spec, KNOWN_S);
    this.perFrame = hop / sampleRate / 0.01; // frames in the costs' 10 ms
    this.reset();
  }

  reset() {
    this.unvoiced = 0; // least cost of silence
    this.voiced = []; // [least cost, octave, state] of the last frame's candidates, rising
    this.best = 0;
    this.finder.known = 0;
    this.unvoicedFrames = 0;
    this.waiting = [];
  }

  // Takes the window of the next frame; returns [f0, voicing] of the frame decided now, or null before the first.
  follow(audio, start) {
    const { candidates, meanSquare, middle } = this.finder.search(audio, start);
    const faint = meanSquare >= AUDIBLE ? 0 : 2 * UNVOICED;
    let hollow = faint;
    if (middle < EMPTY * meanSquare) hollow += 1 - middle / (EMPTY * meanSquare);
    const pointers = this.reach(candidates, faint, hollow);
    let decided;
    if (!this.lookahead) decided = frame(candidates, this.best);
    else {
      this.waiting.push([pointers, candidates]);
      if (this.waiting.length <= this.lookahead) return null;
      let state = this.best;
      for (let place = this.waiting.length - 1; place > 0; place--) state = this.waiting[place][0][state];
      decided = frame(this.waiting.shift()[1], state);
    }
    this.remember(decided);
    return decided;
  }

  remember([f0, voicing]) {
    if (voicing >= VOICED) {
      this.finder.known = f0;
      this.unvoicedFrames = 0;
    } else if (++this.unvoicedFrames > this.knownFrames) this.finder.known = 0;
  }

  // Goes on to a frame; returns where each of its states is best reached from.
  reach(candidates, faint, hollow) {
    const before = this.voiced, onset = this.unvoiced + ONSET, pointers = [0], reached = [];
    let unvoiced = this.unvoiced;
    if (before.length && before[0][0] + ONSET < unvoiced) {
      unvoiced = before[0][0] + ONSET;
      pointers[0] = before[0][2];
    }
    unvoiced += UNVOICED * this.perFrame;
    for (const [own, f0] of candidates) {
      const octave = Math.log2(f0);
      let least = onset, pointer = 0;
      for (const [cost, other, state] of before) {
        if (cost >= least) break; // and so do those after it
        const octaves = Math.abs(octave - other);
        const way = cost + (octaves < GLIDE_OCTAVES ? GLIDE * octaves : LEAP + LEAP_OCTAVE * octaves);
        if (way < least) [least, pointer] = [way, state];
      }
      pointers.push(pointer);
      reached.push([least + (own + (f0 >= 1 / MIDDLE_S ? hollow : faint)) * this.perFrame, octave, reached.length + 1]);
    }
    reached.sort(inOrder);
    let least = unvoiced;
    this.best = 0;
    if (reached.length && reached[0][0] < unvoiced) [least, , this.best] = reached[0];
    this.unvoiced = unvoiced - least;
    this.voiced = reached.map(([cost, octave, state]) => [cost - least, octave, state]);
    return pointers;
  }
}

// F0 and voicing in a state; those of the likeliest candidate in silence.
function frame(candidates, state) {
  if (!candidates.length) return [0, 0];
  const [, f0, aperiodicity] = candidates[Math.max(state - 1, 0)], periodicity = 1 - Math.min(aperiodicity, 1);
  return [f0, state ? 0.5 + 0.5 * periodicity : 0.499 * periodicity];
}
