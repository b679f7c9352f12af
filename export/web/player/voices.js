// Notes on an instrument: voices without the room, and the room that all of them play in.
import { ExpressionNetwork } from "./expression/network.js";
import { Phrasing } from "./expression/phrasing.js";
import { Instrument } from "./instrument.js";
import { PlayedVoice } from "./played-voice.js";
import { crossfade } from "./synthesis/crossfade.js";
import { FLOOR, Voice } from "./voice.js";

const CHANNELS = 16;

// What a player may turn; read anew for every hop.
export const SETTINGS = {
  gain_db: 0, harmonic_db: 0, noise_db: 0, reverb: 1, transposition: 0, loudness_shift_db: 0, brightness: 0,
  attack_s: 0.03, release_s: 0.15, vibrato_semitones: 0.0, vibrato_hz: 5.5, gate: true, gate_db: -60,
  voices: 32, glide_s: 0.02, // `voices`: notes at once, as many as there are at most; one plays legato
  expression: 1, // how far notes are played as the instrument knows them to be, 0 to 1; nothing where it does not
};
const PLAYED = { attack_s: 0.01, release_s: 0.08 }; // of an instrument that knows it, as on the device side

// Where all of it stands before anybody turns anything; `file`: what readModelFile gave.
export const settingsOf = (file) => ({ ...SETTINGS, ...(ExpressionNetwork.of(file) && PLAYED) });

const OF_LEVEL = { Harmonic: "harmonic_db", FilteredNoise: "noise_db" }; // by type of a node

const factor = (db) => 10 ** (db / 20);
const same = (one, other) => one.note === other.note && one.channel === other.channel;

export class Voices {
  // `file`: what readModelFile gave.
  constructor(file, count = 4) {
    const nodes = file.card.synthesizer?.nodes ?? [];
    const rooms = nodes.filter((node) => node.type === "Reverb");
    // The rooms stand at the end, each after the other; before them is the dry sound.
    const dry = rooms.length ? rooms[0].inputs.audio : file.card.synthesizer?.output;
    this.whole = new Instrument(file); // checks all of it, and has the rooms
    const voiceFile = {
      ...file,
      network: this.whole.network,
      card: { ...file.card, synthesizer: { nodes: nodes.filter((node) => node.type !== "Reverb"), output: dry } },
    };
    this.expression = ExpressionNetwork.of(file); // how notes are played; null where the file does not know
    this.phrasing = Array.from({ length: CHANNELS }, () => new Phrasing());
    this.voices = Array.from({ length: count },
      () => (this.expression ? new PlayedVoice(voiceFile, this.expression) : new Voice(voiceFile)));
    this.rooms = this.whole.synthesizer.nodes.filter((node) => node.type === "Reverb");
    // The controls that are levels, each once, and what changes them.
    const levels = this.voices[0].instrument.synthesizer.nodes.filter((node) => node.level);
    this.levels = [...new Map(levels.map((node) => [node.inputs[node.level], OF_LEVEL[node.type]]))].map(
      ([source, setting]) => ({ source, setting }));
    this.spec = this.whole.spec;
    this.settings = settingsOf(file);
    this.dry = new Float32Array(this.spec.hop);
    this.wet = new Float32Array(this.spec.hop);
    this.out = new Float32Array(this.spec.hop);
    this.peak = 1;
    this.fadeOut = crossfade(this.spec.hop).map((x) => 1 - x);
    this.clock = 0; // counts notes
    this.frames = 0;
    this.keys = []; // that are down, the last one at the end
    this.time = 0; // seconds, of the vibrato
    this.pedal = false;
    this.bend = 0; // semitones
    this.range = file.card.loudness_db_range ?? { low: -50, high: -20 };
  }

  // Channels are told apart where the instrument knows how notes are played: each has phrases of its own. `ahead`: what
  // comes, where it is known (expression/look-ahead.js).
  noteOn(note, velocity = 96, channel = 0, ahead = null) {
    if (!(velocity > 0)) return this.noteOff(note, channel);
    const key = { note, channel: this.expression ? channel : 0, velocity, target: this.levelOf(Math.min(velocity, 127)) };
    this.keys = [...this.keys.filter((other) => !same(other, key)), key];
    const first = this.voices[0];
    if (this.settings.voices <= 1 && first.held) return this.sound(first, key, true, ahead);
    const some = this.voices.slice(0, Math.max(1, this.settings.voices)), silent = some.filter((voice) => voice.silent);
    const again = some.find((voice) => same(voice, key) && !voice.silent);
    const free = again ?? this.oldest(silent.length ? silent : some);
    this.sound(free, key, false, ahead);
    free.age = this.clock++;
  }

  noteOff(note, channel = 0) {
    const key = { note, channel: this.expression ? channel : 0 };
    this.keys = this.keys.filter((other) => !same(other, key));
    const before = this.keys.at(-1), first = this.voices[0];
    if (this.settings.voices <= 1 && before && same(first, key) && first.pressed) {
      this.sound(first, before, true); // back to a key that is still down
      return;
    }
    for (const voice of this.voices) {
      if (same(voice, key) && voice.pressed) {
        voice.pressed = false;
        if (!this.pedal) this.letGo(voice);
      }
    }
  }

  levelOf(velocity) {
    const share = this.expression ? (velocity - 1) / 126 : velocity / 127;
    return this.range.low + (this.range.high - this.range.low) * share;
  }

  // A voice plays a key from now on.
  sound(voice, key, slurred, ahead = null) {
    const { note, velocity, channel } = key, now = this.frames * voice.seconds;
    const among = this.expression && this.phrasing[channel].press(note, velocity, now, ahead);
    voice.press(key, slurred, this.settings, among);
  }

  // Nothing holds the key of a voice any more.
  letGo(voice) {
    const { channel } = voice;
    voice.release();
    if (!this.expression) return;
    voice.age = this.clock++;
    if (!this.voices.some((other) => other.held && other.channel === channel)) {
      this.phrasing[channel].release(this.frames * voice.seconds);
    }
  }

  sustain(down) {
    this.pedal = down;
    if (!down) for (const voice of this.voices) if (voice.held && !voice.pressed) this.letGo(voice);
  }

  bendTo(semitones) {
    this.bend = semitones;
  }

  allOff() {
    this.keys = [];
    this.pedal = false;
    for (const voice of this.voices) if (voice.held) this.letGo(voice);
  }

  oldest(some) {
    return some.reduce((a, b) => (a.held === b.held ? (a.age <= b.age ? a : b) : a.held ? b : a));
  }

  // Plays a hop of all voices; the Float32Array is overwritten by the next one.
  process() {
    const { settings, dry, spec } = this, seconds = spec.hop / spec.sampleRate;
    dry.fill(0);
    this.time += seconds;
    const vibrato = settings.vibrato_semitones * Math.sin(2 * Math.PI * settings.vibrato_hz * this.time);
    for (const voice of this.voices) {
      if (voice.resting) continue;
      voice.frame(settings);
      const note = voice.pitch + voice.bent + settings.transposition + this.bend + vibrato;
      const f0 = 440 * 2 ** ((note - 69) / 12);
      if (voice.waking) { // a frame at the floor, unheard: the first hop of a synthesizer holds its frame
        voice.instrument.reset();
        this.play(voice, f0, FLOOR);
      }
      const sound = this.play(voice, f0, voice.told);
      if (voice.ending) for (let n = 0; n < sound.length; n++) sound[n] *= this.fadeOut[n];
      for (let n = 0; n < dry.length; n++) dry[n] += sound[n];
      voice.settle();
    }
    this.frames++;
    return this.limited(this.inRooms());
  }

  // Plays a hop of what somebody sings: f0 in Hz, 0 where there is no pitch, and loudness in dB; the last one fades out.
  follow(f0, loudness, last = false) {
    const { settings, dry } = this;
    dry.set(this.play(this.voices[0], f0 * 2 ** (settings.transposition / 12), loudness + settings.loudness_shift_db));
    if (last) for (let n = 0; n < dry.length; n++) dry[n] *= this.fadeOut[n];
    return this.limited(this.inRooms());
  }

  // Forgets all notes.
  rest() {
    this.keys = [];
    for (const phrasing of this.phrasing) phrasing.forget();
    for (const voice of this.voices) voice.rest();
  }

  play(voice, f0, level) {
    const { instrument } = voice, { controls } = instrument;
    instrument.brightness = this.settings.brightness;
    instrument.predict(f0, level);
    for (const { source, setting } of this.levels) {
      const gain = factor(this.settings[setting]);
      if (gain !== 1) for (let i = 0; i < controls[source].length; i++) controls[source][i] *= gain;
    }
    return instrument.render();
  }

  inRooms() {
    let audio = this.dry;
    for (const room of this.rooms) {
      room.processor.process({ audio }, room.out);
      audio = room.out;
    }
    const share = this.rooms.length ? this.settings.reverb : 1;
    for (let n = 0; n < audio.length; n++) this.wet[n] = share * audio[n] + (1 - share) * this.dry[n];
    return this.wet;
  }

  // Gain, and a limiter with instant attack and a release of 0.1 s after which nothing exceeds full scale.
  limited(audio) {
    const gain = factor(this.settings.gain_db), decay = Math.exp(-1 / (0.1 * this.spec.sampleRate));
    for (let n = 0; n < audio.length; n++) {
      const sample = gain * audio[n];
      this.peak = Math.max(Math.abs(sample), this.peak * decay, 1);
      this.out[n] = sample / this.peak;
    }
    return this.out;
  }
}
