// Fourier transform of complex numbers, of a size that is a power of two, in place.
export class Fft {
  constructor(size) {
    this.size = size;
    const bits = Math.log2(size), swaps = [];
    this.cos = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.sin = Float64Array.from({ length: size }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    for (let i = 0; i < size; i++) {
      let j = 0;
      for (let b = 0; b < bits; b++) if (i & (1 << b)) j |= 1 << (bits - 1 - b);
      if (j > i) swaps.push(i, j);
    }
    this.swaps = Uint32Array.from(swaps);
  }

  forward(re, im) {
    this.swap(re);
    this.swap(im);
    let quarter = 1;
    if (Math.log2(this.size) % 2) {
      this.pairs(re, im);
      quarter = 2;
    }
    for (; quarter < this.size; quarter *= 4) this.fours(re, im, quarter);
  }

  swap(values) {
    const { swaps } = this;
    for (let i = 0; i < swaps.length; i += 2) {
      const a = swaps[i], b = swaps[i + 1], value = values[a];
      values[a] = values[b];
      values[b] = value;
    }
  }

  // Transforms of two values each.
  pairs(re, im) {
    for (let a = 0; a < this.size; a += 2) {
      const x = re[a + 1], y = im[a + 1];
      re[a + 1] = re[a] - x;
      im[a + 1] = im[a] - y;
      re[a] += x;
      im[a] += y;
    }
  }

  // From four transforms of `quarter` values each to one.
  fours(re, im, quarter) {
    const { size, cos, sin } = this, step = size / (4 * quarter);
    for (let k = 0; k < quarter; k++) {
      const t = k * step, c1 = cos[t], s1 = sin[t], c2 = cos[2 * t], s2 = sin[2 * t], c3 = cos[3 * t], s3 = sin[3 * t];
      for (let a = k; a < size; a += 4 * quarter) {
        const b = a + quarter, c = b + quarter, d = c + quarter;
        const bx = re[b] * c2 - im[b] * s2, by = re[b] * s2 + im[b] * c2;
        const cx = re[c] * c1 - im[c] * s1, cy = re[c] * s1 + im[c] * c1;
        const dx = re[d] * c3 - im[d] * s3, dy = re[d] * s3 + im[d] * c3;
        const evenX = re[a] + bx, evenY = im[a] + by, oddX = re[a] - bx, oddY = im[a] - by;
        const sumX = cx + dx, sumY = cy + dy, turnX = cy - dy, turnY = dx - cx;
        re[a] = evenX + sumX;
        im[a] = evenY + sumY;
        re[b] = oddX + turnX;
        im[b] = oddY + turnY;
        re[c] = evenX - sumX;
        im[c] = evenY - sumY;
        re[d] = oddX - turnX;
        im[d] = oddY - turnY;
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
