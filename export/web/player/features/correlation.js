// Autocorrelation of a window at the whole lags and, at low rates, halfway between them, as
// ddsp_edge.features.autocorrelation has it.
import { Fft } from "../synthesis/fft.js";

export class Autocorrelation {
  // `fftSize`: the transform that defines what lies halfway; it is never made.
  constructor(size, lags, steps, fftSize) {
    Object.assign(this, { size, lags, steps });
    let length = 1;
    while (length < 2 * size) length *= 2;
    this.fft = new Fft(length);
    this.re = new Float64Array(length);
    this.im = new Float64Array(length);
    this.found = new Float64Array(steps * (lags - 1) + 1);
    if (steps !== 2) return;
    this.bothSides = new Float64Array(2 * size - 1);
    // The kernel of Dirichlet: the sum of all cosines below Nyquist, which has a zero halfway.
    this.kernel = Float64Array.from({ length: 2 * size + lags - 3 }, (_, i) => {
      const turn = (Math.PI / fftSize) * (1 - size + i + 0.5);
      return Math.sin((fftSize - 1) * turn) / (fftSize * Math.sin(turn));
    });
  }

  // Of `x`, which has `size` samples; the array is overwritten by the next call.
  measure(x) {
    const { re, im, size, steps, found } = this, length = re.length;
    re.fill(0);
    im.fill(0);
    re.set(x);
    this.fft.forward(re, im);
    for (let k = 0; k < length; k++) {
      re[k] = re[k] * re[k] + im[k] * im[k];
      im[k] = 0;
    }
    this.fft.inverse(re, im);
    for (let lag = 0; lag < this.lags; lag++) found[steps * lag] = re[lag];
    if (steps === 2) this.halfway(re.subarray(0, size));
    return found;
  }

  halfway(whole) {
    const { size, lags, bothSides, kernel, found } = this, last = bothSides.length;
    for (let lag = 0; lag < size; lag++) bothSides[size - 1 - lag] = bothSides[size - 1 + lag] = whole[lag];
    for (let lag = 0; lag < lags - 1; lag++) {
      let sum = 0;
      for (let n = 0; n < last; n++) sum += kernel[lag + n] * bothSides[n];
      found[2 * lag + 1] = sum;
    }
  }
}

// Smallest 2^a * m >= n with m of 1, 3 and 5.
export function fftSize(n) {
  return Math.min(...[1, 3, 5].map((m) => {
    let size = m;
    while (size < n) size *= 2;
    return size;
  }));
}
