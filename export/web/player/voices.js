// Notes on an instrument: voices without the room, and the room that all of them play in.
import { Instrument } from "./instrument.js";

const FLOOR = -80, SILENT = -79;

// What a player may turn; read anew for every hop.
export const SETTINGS = {
  gain_db: 0, harmonic_db: 0, noise_db: 0, reverb: 1, transposition: 0, loudness_shift_db: 0, brightness: 0,
  attack_s: 0.03, release_s: 0.15, vibrato_semitones: 0.0, vibrato_hz: 5.5, gate: true, gate_db: -60,
  voices: 32, glide_s: 0.02, // `voices`: notes at once, as many as there are at most; one plays legato
};

const OF_LEVEL = { Harmonic: "harmonic_db", FilteredNoise: "noise_db" }; // by type of a node

const factor = (db) => 10 ** (db / 20);

class Voice {
  constructor(file) {
    this.instrument = new Instrument(file);
    this.note = null;
    this.target = FLOOR; // dB, where the note stays
    this.rest();
  }

  rest() {
    this.instrument.reset();
    this.level = FLOOR;
    this.pitch = null; // MIDI note that it is at, on the way to `note`
    this.toGo = 0; // seconds until it is there
    this.held = this.pressed = false;
    this.age = 0;
  }

  // Where the pitch is after `seconds` more.
  glided(seconds) {
    if (this.pitch === null || this.toGo <= seconds) this.pitch = this.note;
    else this.pitch += ((this.note - this.pitch) * seconds) / this.toGo;
    this.toGo = Math.max(0, this.toGo - seconds);
    return this.pitch;
  }

  // Goes on to another note without a new attack.
  slur(note, target, glide) {
    Object.assign(this, { note, target, toGo: glide });
  }

  get silent() {
    return !this.held && this.level <= SILENT;
  }
}

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
    this.voices = Array.from({ length: count }, () => new Voice(voiceFile));
    this.rooms = this.whole.synthesizer.nodes.filter((node) => node.type === "Reverb");
    // The controls that are levels, each once, and what changes them.
    const levels = this.voices[0].instrument.synthesizer.nodes.filter((node) => node.level);
    this.levels = [...new Map(levels.map((node) => [node.inputs[node.level], OF_LEVEL[node.type]]))].map(
      ([source, setting]) => ({ source, setting }));
    this.spec = this.whole.spec;
    this.settings = { ...SETTINGS };
    this.dry = new Float32Array(this.spec.hop);
    this.wet = new Float32Array(this.spec.hop);
    this.out = new Float32Array(this.spec.hop);
    this.peak = 1;
    this.clock = 0; // counts notes
    this.keys = []; // that are down, the last one at the end
    this.time = 0; // seconds, of the vibrato
    this.pedal = false;
    this.bend = 0; // semitones
    this.range = file.card.loudness_db_range ?? { low: -50, high: -20 };
  }

  noteOn(note, velocity = 96) {
    if (!(velocity > 0)) return this.noteOff(note);
    const target = this.range.low + ((this.range.high - this.range.low) * Math.min(velocity, 127)) / 127;
    this.keys = [...this.keys.filter((key) => key.note !== note), { note, target }];
    const first = this.voices[0];
    if (this.settings.voices <= 1 && first.held) {
      first.slur(note, target, this.settings.glide_s);
      first.pressed = true;
      return;
    }
    const some = this.voices.slice(0, Math.max(1, this.settings.voices));
    const again = some.find((voice) => voice.note === note && !voice.silent);
    const free = again ?? some.find((voice) => voice.silent) ?? this.oldest(some);
    if (free.silent) free.rest();
    Object.assign(free, { note, target, toGo: 0, held: true, pressed: true, age: this.clock++ });
  }

  noteOff(note) {
    this.keys = this.keys.filter((key) => key.note !== note);
    const before = this.keys.at(-1), first = this.voices[0];
    if (this.settings.voices <= 1 && before && first.note === note && first.pressed) {
      first.slur(before.note, before.target, this.settings.glide_s); // back to a key that is still down
      return;
    }
    for (const voice of this.voices) {
      if (voice.note === note && voice.pressed) {
        voice.pressed = false;
        voice.held = this.pedal;
      }
    }
  }

  sustain(down) {
    this.pedal = down;
    if (!down) for (const voice of this.voices) if (!voice.pressed) voice.held = false;
  }

  bendTo(semitones) {
    this.bend = semitones;
  }

  allOff() {
    this.keys = [];
    this.pedal = false;
    for (const voice of this.voices) voice.held = voice.pressed = false;
  }

  oldest(some) {
    return some.reduce((a, b) => (a.held === b.held ? (a.age < b.age ? a : b) : a.held ? b : a));
  }

  // Plays a hop of all voices; the Float32Array is overwritten by the next one.
  process() {
    const { settings, dry, spec } = this, seconds = spec.hop / spec.sampleRate;
    dry.fill(0);
    this.time += seconds;
    const vibrato = settings.vibrato_semitones * Math.sin(2 * Math.PI * settings.vibrato_hz * this.time);
    for (const voice of this.voices) {
      if (voice.silent) continue;
      const span = voice.target - FLOOR;
      if (voice.held) voice.level = Math.min(voice.target, voice.level + (span * seconds) / Math.max(settings.attack_s, seconds));
      else voice.level = Math.max(FLOOR, voice.level - (80 * seconds) / Math.max(settings.release_s, seconds));
      const note = voice.glided(seconds) + settings.transposition + this.bend + vibrato;
      const sound = this.play(voice, 440 * 2 ** ((note - 69) / 12), voice.level + settings.loudness_shift_db);
      for (let n = 0; n < dry.length; n++) dry[n] += sound[n];
      if (voice.silent) voice.rest();
    }
    return this.limited(this.inRooms());
  }

  // Plays a hop of what somebody sings: f0 in Hz, 0 where there is no pitch, and loudness in dB.
  follow(f0, loudness) {
    const { settings, dry } = this;
    dry.set(this.play(this.voices[0], f0 * 2 ** (settings.transposition / 12), loudness + settings.loudness_shift_db));
    return this.limited(this.inRooms());
  }

  // Forgets all notes.
  rest() {
    this.keys = [];
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
