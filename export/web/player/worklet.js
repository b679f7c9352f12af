// The player on the audio thread: notes and settings come as messages, sound goes out 128 samples at a time.
import { Voices } from "./voices.js";

class Player extends AudioWorkletProcessor {
  constructor({ processorOptions: { file, voices } }) {
    super();
    this.voices = new Voices(file, voices);
    this.hop = this.voices.out;
    this.at = this.hop.length; // all of it was played
    this.level = 0;
    this.blocks = 0;
    this.port.onmessage = ({ data }) => this.hear(data);
  }

  hear({ type, note, velocity, down, semitones, settings }) {
    if (type === "on") this.voices.noteOn(note, velocity);
    else if (type === "off") this.voices.noteOff(note);
    else if (type === "sustain") this.voices.sustain(down);
    else if (type === "bend") this.voices.bendTo(semitones);
    else if (type === "settings") Object.assign(this.voices.settings, settings);
    else if (type === "silence") this.voices.allOff();
  }

  process(inputs, [channels]) {
    const out = channels[0];
    for (let n = 0; n < out.length; n++) {
      if (this.at === this.hop.length) {
        this.hop = this.voices.process();
        this.at = 0;
      }
      out[n] = this.hop[this.at++];
      this.level = Math.max(this.level, Math.abs(out[n]));
    }
    for (const channel of channels.slice(1)) channel.set(out);
    if (++this.blocks % 16 === 0) {
      this.port.postMessage({ level: this.level });
      this.level = 0;
    }
    return true;
  }
}

registerProcessor("ddsp-player", Player);
