// Lets through what has a pitch and is loud enough, as ddsp_edge.transfer.matching.Gate does; all else fades.
import { framesFor } from "./frames.js";

const FLOOR = -80, HOLD_S = 0.05, RELEASE_S = 0.08;

export class Gate {
  constructor(spec, doubtFrames) {
    this.doubtFrames = doubtFrames;
    this.holdFrames = framesFor(spec, HOLD_S);
    this.fall = (-FLOOR * spec.hop) / spec.sampleRate / RELEASE_S;
    this.reset();
  }

  reset() {
    this.left = 0;
    this.lowered = -FLOOR;
    this.wasSoft = true;
  }

  // Returns the loudness behind it, dB.
  process(f0, loudness, threshold) {
    const loud = loudness >= threshold, begins = loud && this.wasSoft;
    this.wasSoft = !loud;
    if (f0 > 0 && loud) [this.left, this.lowered] = [this.holdFrames, 0];
    else if (begins && this.doubtFrames > this.left) [this.left, this.lowered] = [this.doubtFrames - 1, 0];
    else if (this.left) this.left--;
    else this.lowered = Math.min(this.lowered + this.fall, -FLOOR);
    return Math.max(loudness - this.lowered, FLOOR);
  }
}
