// Samples that wait: from `start` to `end` of `values`, which is long enough for what waits and what comes at once.
export class SampleQueue {
  constructor(values) {
    this.values = values;
    this.reset(0);
  }

  // Forgets all; `zeros` of them wait then.
  reset(zeros) {
    this.values.fill(0);
    [this.start, this.end] = [0, zeros];
  }

  push(samples) {
    if (this.end + samples.length > this.values.length) {
      this.values.copyWithin(0, this.start, this.end);
      [this.start, this.end] = [0, this.end - this.start];
    }
    this.values.set(samples, this.end);
    this.end += samples.length;
  }
}
