// White noise through a filter that changes from frame to frame: the impulse response of a frame is
// fftshift(irfft(magnitudes)) * hann, as long as twice the number of bands less two; what rings on is added to the
// hops that follow.
import { Fft } from "./fft.js";
import { WhiteNoise } from "./white-noise.js";

export class FilteredNoise {
  constructor(spec, bands) {
    this.spec = spec;
    this.bands = bands;
    this.taps = 2 * (bands - 1);
    this.table = tableOf(bands);
    this.hann = Float64Array.from({ length: this.taps / 2 + 1 }, (_, away) => 0.5 + 0.5 * Math.cos((2 * Math.PI * away) / this.taps));
    this.ring = new Float64Array(spec.hop + this.taps); // from the next sample on
    this.source = new WhiteNoise();
    this.white = new Float32Array(spec.hop);
    let size = 1;
    while (size < spec.hop + this.taps) size *= 2;
    this.fft = new Fft(size);
    this.re = new Float64Array(size);
    this.im = new Float64Array(size);
  }

  reset() {
    this.ring.fill(0);
  }

  // Renders a hop of a frame into `out`; draws the noise where none is given.
  process({ magnitudes, noise }, out) {
    const { hop } = this.spec, { taps, ring } = this;
    if (!noise) this.source.fill(this.white);
    this.re.fill(0);
    this.im.fill(0);
    this.re.set(noise ?? this.white);
    this.respond(magnitudes, this.im);
    this.convolve();
    for (let n = 0; n < hop; n++) out[n] = ring[n];
    ring.copyWithin(0, hop);
    ring.fill(0, taps);
  }

  // The impulse response, which is the same on both sides of its middle. So are cosines on both sides of half way from
  // there to its end, but for the sign of those of odd bands: each sum serves four taps. Two rows of the table at a time.
  respond(magnitudes, response) {
    const { taps, bands, table } = this, middle = taps / 2;
    for (let away = 0; away <= middle / 2; away += 2) {
      let even = 0, odd = 0, nextEven = 0, nextOdd = 0, band = 0, at = away * bands;
      for (; band + 1 < bands; band += 2, at += 2) {
        const a = magnitudes[band], b = magnitudes[band + 1];
        even += table[at] * a;
        odd += table[at + 1] * b;
        nextEven += table[at + bands] * a;
        nextOdd += table[at + bands + 1] * b;
      }
      if (band < bands) {
        even += table[at] * magnitudes[band];
        nextEven += table[at + bands] * magnitudes[band];
      }
      this.taper(response, away, even, odd);
      this.taper(response, away + 1, nextEven, nextOdd);
    }
    for (let tap = 1; tap < middle; tap++) response[taps - tap] = response[tap];
  }

  taper(response, away, even, odd) {
    const { hann } = this, middle = this.taps / 2;
    response[middle - away] = hann[away] * (even + odd);
    response[away] = hann[middle - away] * (even - odd);
  }

  // Adds the hop of noise in `re` through the response in `im` to what rings. Both are real, so they are transformed as one
  // complex signal: the imaginary part of its square is twice the convolution of one with the other.
  convolve() {
    const { re, im, fft, ring } = this;
    fft.forward(re, im);
    for (let k = 0; k < re.length; k++) {
      const x = re[k], y = im[k];
      re[k] = 0.5 * (x * x - y * y);
      im[k] = x * y;
    }
    fft.inverse(re, im);
    for (let n = 0; n < ring.length; n++) ring[n] += im[n];
  }
}

const tables = new Map(); // by number of bands: one for all voices

// From magnitudes to the taps from the middle of a response to half way to its end, and one more where they are odd: a row
// of bands for each.
function tableOf(bands) {
  if (!tables.has(bands)) {
    const last = bands - 1, table = new Float64Array(bands * 2 * (Math.floor(last / 4) + 1));
    for (let i = 0; i < table.length; i++) {
      const band = i % bands, away = Math.floor(i / bands), both = band === 0 || band === last ? 1 : 2;
      table[i] = (both * Math.cos((Math.PI * band * away) / last)) / (2 * last);
    }
    tables.set(bands, table);
  }
  return tables.get(bands);
}
