// A live effect: what a microphone hears, on the instrument, `latency` samples later.
import { Follower, LATENCIES } from "./features/follower.js";
import { Gate } from "./gate.js";
import { SampleQueue } from "./sample-queue.js";

export class Effect {
  // `voices`: Voices, the first of which plays; its settings hold.
  constructor(voices, latency = LATENCIES.low) {
    this.voices = voices;
    this.follower = new Follower(voices.whole.card, latency);
    const { hop } = voices.spec;
    this.latency = this.follower.latency + hop - 1;
    this.gate = new Gate(voices.spec, this.follower.doubtFrames);
    this.queue = new SampleQueue(new Float32Array(4 * (this.latency + hop + 1024)));
    this.play = (f0, loudness) => this.queue.push(voices.follow(f0, this.gated(f0, loudness)));
    this.reset();
  }

  reset() {
    this.follower.reset();
    this.gate.reset();
    this.voices.rest();
    this.queue.reset(this.latency);
  }

  gated(f0, loudness) {
    const { gate, gate_db } = this.voices.settings;
    return gate ? this.gate.process(f0, loudness, gate_db) : loudness;
  }

  // Takes as many samples as it fills into `out`, up to 1024.
  process(audio, out) {
    const { follower, queue } = this;
    follower.push(audio, this.play);
    out.set(queue.values.subarray(queue.start, queue.start + out.length));
    queue.start += out.length;
  }
}
