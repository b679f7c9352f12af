// White noise through a filter that changes from frame to frame: the impulse response of a frame is
// fftshift(irfft(magnitudes)) * hann, as long as twice the number of bands less two; what rings on is added to the
// hops that follow.
export class FilteredNoise {
  constructor(spec, bands) {
    this.spec = spec;
    this.bands = bands;
    this.taps = 2 * (bands - 1);
    // From magnitudes to taps, up to that in the middle: the response is the same on both sides of it.
    this.table = new Float64Array(bands * (this.taps / 2 + 1));
    for (let tap = 0; tap <= this.taps / 2; tap++) {
      const place = (tap + this.taps / 2) % this.taps, hann = 0.5 * (1 - Math.cos((2 * Math.PI * tap) / this.taps));
      for (let band = 0; band < bands; band++) {
        const both = band === 0 || band === bands - 1 ? 1 : 2;
        this.table[tap * bands + band] = (hann * both * Math.cos((2 * Math.PI * band * place) / this.taps)) / this.taps;
      }
    }
    this.response = new Float64Array(this.taps + 6); // between three zeros at either side
    this.ring = new Float64Array(spec.hop + this.taps); // from the next sample on
    this.noise = new Float32Array(spec.hop);
  }

  reset() {
    this.ring.fill(0);
  }

  // Renders a hop of a frame into `out`; draws the noise where none is given.
  process({ magnitudes, noise }, out) {
    const { hop } = this.spec, { taps, bands, table, response, ring } = this;
    let white = noise;
    if (!white) {
      white = this.noise;
      for (let n = 0; n < hop; n++) white[n] = 2 * Math.random() - 1;
    }
    for (let tap = 0; tap <= taps / 2; tap++) {
      let sum = 0;
      for (let band = 0, at = tap * bands; band < bands; band++) sum += table[at + band] * magnitudes[band];
      response[3 + tap] = sum;
      if (tap > 0) response[3 + taps - tap] = sum;
    }
    this.convolve(white);
    for (let n = 0; n < hop; n++) out[n] = ring[n];
    ring.copyWithin(0, hop);
    ring.fill(0, taps);
  }

  // Adds a hop of noise to what rings, four samples at a time: what rings is read and written once for four.
  convolve(white) {
    const { hop } = this.spec, { taps, response, ring } = this;
    let n = 0;
    for (; n + 3 < hop; n += 4) {
      const w = white[n], x = white[n + 1], y = white[n + 2], z = white[n + 3];
      let c = 0, b = 0, a = 0; // taps of those before
      for (let tap = 0; tap < taps + 3; tap++) {
        const d = response[3 + tap];
        ring[n + tap] += w * d + x * c + y * b + z * a;
        a = b;
        b = c;
        c = d;
      }
    }
    for (; n < hop; n++) for (let tap = 0; tap < taps; tap++) ring[n + tap] += white[n] * response[3 + tap];
  }
}
