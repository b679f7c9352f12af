// One voice: an instrument, and pitch and loudness of the note that it plays, by a plain envelope.
import { Instrument } from "./instrument.js";

export const FLOOR = -80;
const SILENT = -79;

export class Voice {
  constructor(file) {
    this.instrument = new Instrument(file);
    this.seconds = this.instrument.spec.hop / this.instrument.spec.sampleRate; // of a frame
    this.note = null;
    this.channel = 0; // of that note
    this.target = FLOOR; // dB, where the note stays
    this.bent = 0; // semitones off the pitch
    this.waking = this.ending = false; // whether it begins or stops computing with this frame: see played-voice.js
    this.rest();
  }

  rest() {
    this.instrument.reset();
    this.level = this.told = FLOOR;
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
  }

  // Begins a note, or goes on to it without a new attack.
  press({ note, channel, target }, slurred, settings) {
    if (!slurred && this.silent) this.rest();
    Object.assign(this, { note, channel, target, toGo: slurred ? settings.glide_s : 0, held: true, pressed: true });
  }

  release() {
    this.held = this.pressed = false;
  }

  // Moves on by a frame: `pitch`, `level`, and what of it the instrument is `told`.
  frame(settings) {
    const { seconds } = this, span = this.target - FLOOR;
    if (this.held) this.level = Math.min(this.target, this.level + (span * seconds) / Math.max(settings.attack_s, seconds));
    else this.level = Math.max(FLOOR, this.level - (80 * seconds) / Math.max(settings.release_s, seconds));
    this.glided(seconds);
    this.told = this.level + settings.loudness_shift_db;
  }

  get silent() {
    return !this.held && this.level <= SILENT;
  }

  // Whether there is nothing to compute.
  get resting() {
    return this.silent;
  }

  // A frame was heard.
  settle() {
    if (this.silent) this.rest();
  }
}
