// White noise, uniform in [-1, 1): the xorshift of Marsaglia (2003). Of Math.random every number would be an object, and
// leave garbage to the audio thread.
export class WhiteNoise {
  constructor() {
    this.state = (Math.random() * 2 ** 32) | 1; // never 0
  }

  fill(values) {
    let x = this.state;
    for (let n = 0; n < values.length; n++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      values[n] = x / 2 ** 31;
    }
    this.state = x;
  }
}
