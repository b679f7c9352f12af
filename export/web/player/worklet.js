// The player on the audio thread: notes and settings come as messages, sound goes out 128 samples at a time.
import { Effect } from "./effect.js";
import { Voices } from "./voices.js";

class Player extends AudioWorkletProcessor {
  constructor({ processorOptions: { file, voices } }) {
    super();
    this.voices = new Voices(file, voices);
    this.hop = this.voices.out;
    this.at = this.hop.length; // all of it was played
    this.effect = null; // plays what a microphone hears, in place of notes
    this.level = 0;
    this.blocks = 0;
    this.port.onmessage = ({ data }) => this.hear(data);
  }

  hear({ type, note, velocity, channel, down, semitones, settings, on }) {
    if (type === "on") this.voices.noteOn(note, velocity, channel);
    else if (type === "off") this.voices.noteOff(note, channel);
    else if (type === "sustain") this.voices.sustain(down);
    else if (type === "bend") this.voices.bendTo(semitones);
    else if (type === "settings") Object.assign(this.voices.settings, settings);
    else if (type === "silence") this.voices.allOff();
    else if (type === "microphone") this.listen(on);
  }

  listen(on) {
    this.effect = on ? new Effect(this.voices) : null;
    this.voices.rest();
    this.port.postMessage({ microphone: on, latency: on ? this.effect.latency / this.voices.spec.sampleRate : 0 });
  }

  process(inputs, [channels]) {
    const out = channels[0];
    if (this.effect) this.effect.process(inputs[0][0] ?? new Float32Array(out.length), out);
    else this.playNotes(out);
    for (const sample of out) this.level = Math.max(this.level, Math.abs(sample));
    for (const channel of channels.slice(1)) channel.set(out);
    if (++this.blocks % 16 === 0) {
      this.port.postMessage({ level: this.level });
      this.level = 0;
    }
    return true;
  }

  playNotes(out) {
    for (let n = 0; n < out.length; n++) {
      if (this.at === this.hop.length) {
        this.hop = this.voices.process();
        this.at = 0;
      }
      out[n] = this.hop[this.at++];
    }
  }
}

registerProcessor("ddsp-player", Player);
