// Pitch and loudness of a player, frame by frame side by side, as ddsp_edge.live.following has them.
import { framesFor } from "../frames.js";
import { SampleQueue } from "../sample-queue.js";
import { LoudnessMeter, loudnessWindow } from "./loudness.js";
import { PitchTracker, VOICED } from "./pitch.js";

const F0_MIN = 55, F0_MAX = 2000, LOOKAHEAD_S = 0.03, EVIDENCE_S = 0.01;

// As of ddsp_edge.live.effect: how long is waited for pitch and loudness.
export const LATENCIES = {
  full: { f0Min: null, lookahead: null, loudnessMs: null },
  middle: { f0Min: null, lookahead: 0, loudnessMs: null },
  low: { f0Min: 110, lookahead: 0, loudnessMs: 24 },
};

export class Follower {
  constructor(card, { f0Min, lookahead, loudnessMs } = LATENCIES.low) {
    const spec = { sampleRate: card.sample_rate, hop: card.hop }, { sampleRate, hop } = spec;
    const [low, high] = range(card, sampleRate), ahead = lookahead ?? framesFor(spec, LOOKAHEAD_S);
    this.tracker = new PitchTracker(spec, f0Min ?? low, high, ahead);
    this.meter = new LoudnessMeter(sampleRate, loudnessWindow(sampleRate, loudnessMs));
    const pitch = this.tracker.size, level = this.meter.size, late = pitch - Math.floor(pitch / 2);
    // Samples after the one that a frame stands for until the frame is known.
    this.latency = Math.max(late + ahead * hop, level - Math.floor(level / 2));
    // Frames after an onset in which a pitch may be there and not be found yet.
    this.doubtFrames = Math.max(0, framesFor(spec, (2 * late) / sampleRate + EVIDENCE_S) - ahead);
    this.hop = hop;
    // The oldest sample is the first that either looks at; the loudness is that of the frame whose pitch is decided.
    const back = Math.max(Math.floor(pitch / 2), ahead * hop + Math.floor(level / 2), hop);
    this.zeros = back - hop; // before the start
    this.pitchAt = back - Math.floor(pitch / 2);
    this.levelAt = back - ahead * hop - Math.floor(level / 2);
    this.needed = Math.max(this.pitchAt + pitch, this.levelAt + level);
    this.queue = new SampleQueue(new Float64Array(4 * (this.needed + hop + 1024)));
    this.reset();
  }

  reset() {
    this.tracker.reset();
    this.queue.reset(this.zeros);
  }

  // Takes up to 1024 samples; calls `heard(f0, loudness)` for each frame known now, f0 0 where there is no pitch.
  push(audio, heard) {
    const { queue, tracker, meter } = this;
    queue.push(audio);
    for (; queue.end - queue.start >= this.needed; queue.start += this.hop) {
      const pitch = tracker.follow(queue.values, queue.start + this.pitchAt);
      if (pitch) heard(pitch[1] >= VOICED ? pitch[0] : 0, meter.measure(queue.values, queue.start + this.levelAt));
    }
  }
}

// The pitches that the training data was searched for, where the card tells them and they can be tracked.
function range(card, sampleRate) {
  const { f0_min_hz: low, f0_max_hz: high } = card.f0_estimator ?? {};
  return low >= 10 && low < Math.min(high, sampleRate / 4) ? [low, high] : [F0_MIN, F0_MAX];
}
