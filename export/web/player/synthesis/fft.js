// Fourier transform of complex numbers, of a size that is a power of two, in place.
export class Fft {
  constructor(size) {
    this.size = size;
    const bits = Math.log2(size);
    this.cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.sin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    this.reversed = new Uint32Array(size);
    for (let i = 0; i < size; i++) {
      for (let b = 0; b < bits; b++) if (i & (1 << b)) this.reversed[i] |= 1 << (bits - 1 - b);
    }
  }

  forward(re, im) {
    const { size, cos, sin, reversed } = this;
    for (let i = 0; i < size; i++) {
      const j = reversed[i];
      if (j > i) {
        [re[i], re[j]] = [re[j], re[i]];
        [im[i], im[j]] = [im[j], im[i]];
      }
    }
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const a = start + k, b = a + half, c = cos[k * step], s = sin[k * step];
          const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  }

  // Of what `forward` gave; divided by the size.
  inverse(re, im) {
    this.forward(im, re);
    const share = 1 / this.size;
    for (let i = 0; i < this.size; i++) {
      re[i] *= share;
      im[i] *= share;
    }
  }
}
