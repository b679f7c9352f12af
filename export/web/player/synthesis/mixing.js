// Sums and crossfades of signals.
import { crossfade } from "./crossfade.js";

export class Add {
  reset() {}

  process(audio, out) {
    out.fill(0);
    for (const name in audio) addTo(out, audio[name]);
  }
}

function addTo(out, signal) {
  for (let n = 0; n < out.length; n++) out[n] += signal[n];
}

// level * audio_0 + (1 - level) * audio_1
export class Mix {
  constructor(spec) {
    this.fade = crossfade(spec.hop);
    this.reset();
  }

  reset() {
    this.level = null;
  }

  process({ audio_0, audio_1, level }, out) {
    const before = this.level ?? level[0];
    for (let n = 0; n < out.length; n++) {
      const now = before + (level[0] - before) * this.fade[n];
      out[n] = audio_1[n] + now * (audio_0[n] - audio_1[n]);
    }
    this.level = level[0];
  }
}
