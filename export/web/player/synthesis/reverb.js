// A room: convolution with a long impulse response, without delay. The first taps are summed sample by sample; those that
// follow in the frequency domain, in partitions that are longer the later they are (Gardner 1995).
import { Partitions } from "./partitions.js";

const NEAR = 128, FAR = 2048; // taps of the first part and of the partitions after it, and of those that are far

export class Reverb {
  constructor(spec, response) {
    this.near = Float64Array.from(response.subarray(0, NEAR)).reverse();
    this.row = new Float64Array(this.near.length - 1 + spec.hop); // what was before a hop, and the hop
    this.far = [[NEAR, FAR], [FAR, response.length]]
      .filter(([first]) => first < response.length)
      .map(([first, end]) => new Partitions(response.subarray(first, end), first));
    this.reset();
  }

  reset() {
    this.row.fill(0);
    for (const partitions of this.far) partitions.reset();
  }

  // Takes a hop.
  process({ audio }, out) {
    const { row, near } = this;
    row.set(audio, near.length - 1);
    out.fill(0);
    for (const partitions of this.far) partitions.process(audio, out);
    addNear(row, near, out);
    row.copyWithin(0, audio.length);
  }
}

// The first taps, four samples at a time: each value is read once for four.
function addNear(row, near, out) {
  let n = 0;
  for (; n + 3 < out.length; n += 4) {
    let a = 0, b = 0, c = 0, d = 0, x = row[n], y = row[n + 1], z = row[n + 2];
    for (let tap = 0; tap < near.length; tap++) {
      const h = near[tap], w = row[n + 3 + tap];
      a += h * x;
      b += h * y;
      c += h * z;
      d += h * w;
      x = y;
      y = z;
      z = w;
    }
    out[n] += a;
    out[n + 1] += b;
    out[n + 2] += c;
    out[n + 3] += d;
  }
  for (; n < out.length; n++) for (let tap = 0; tap < near.length; tap++) out[n] += near[tap] * row[n + tap];
}
