// A live effect: what a microphone hears, on the instrument, `latency` samples later.
import { Follower, LATENCIES } from "./features/follower.js";
import { Gate } from "./gate.js";

export class Effect {
  // `voices`: Voices, the first of which plays; its settings hold.
  constructor(voices, latency = LATENCIES.low) {
    this.voices = voices;
    this.follower = new Follower(voices.whole.card, latency);
    const { hop } = voices.spec;
    this.latency = this.follower.latency + hop - 1;
    this.gate = new Gate(voices.spec, this.follower.doubtFrames);
    this.queue = new Float32Array(4 * (this.latency + hop + 1024));
    this.play = (f0, loudness) => this.emit(voices.follow(f0, this.gated(f0, loudness)));
    this.reset();
  }

  reset() {
    this.follower.reset();
    this.gate.reset();
    this.voices.rest();
    this.queue.fill(0);
    [this.start, this.end] = [0, this.latency];
  }

  gated(f0, loudness) {
    const { gate, gate_db } = this.voices.settings;
    return gate ? this.gate.process(f0, loudness, gate_db) : loudness;
  }

  emit(hop) {
    if (this.end + hop.length > this.queue.length) {
      this.queue.copyWithin(0, this.start, this.end);
      [this.start, this.end] = [0, this.end - this.start];
    }
    this.queue.set(hop, this.end);
    this.end += hop.length;
  }

  // Takes as many samples as it fills into `out`, up to 1024.
  process(audio, out) {
    this.follower.push(audio, this.play);
    out.set(this.queue.subarray(this.start, this.start + out.length));
    this.start += out.length;
  }
}
