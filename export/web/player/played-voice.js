// A voice of an instrument that knows how notes are played: envelope, expression and sleep are those of the device side
// (ddsp_edge/live/voice.py and keys.py).
import { NotePlayer } from "./expression/note-player.js";
import { framesFor } from "./frames.js";
import { FLOOR, Voice } from "./voice.js";

const TONGUE_DB = 12; // dip before a note that a sounding voice takes without a slur
const SLEEP_S = 1; // at the floor, after which a voice stops computing

export class PlayedVoice extends Voice {
  constructor(file, network) {
    super(file);
    this.player = new NotePlayer(network, this.seconds);
    this.sleepFrames = framesFor(this.instrument.spec, SLEEP_S);
  }

  rest() {
    super.rest();
    this.pitch = this.note ?? 0;
    this.step = 0; // of a glide, semitones a frame
    this.envelope = this.played = FLOOR; // dB: by the settings alone, and as the network has it
    this.fading = false;
    this.quiet = Infinity; // frames since it fell silent
  }

  // `among`: the note among others, of a Phrasing.
  press({ note, channel, target }, slurred, settings, among) {
    const slurs = slurred && note !== this.note; // nobody can slur from a note to itself
    if (!slurs) this.envelope = Math.max(FLOOR, this.envelope - TONGUE_DB);
    this.player.press(among);
    const frames = slurs ? framesFor(this.instrument.spec, Math.max(settings.glide_s, 0.001)) : 1;
    this.step = Math.abs(note - this.pitch) / frames;
    Object.assign(this, { note, channel, target, held: true, pressed: true, fading: false });
  }

  release() {
    super.release();
    this.player.release();
  }

  frame(settings) {
    const { player } = this, left = this.note - this.pitch, share = Math.min(Math.max(settings.expression, 0), 1);
    const rise = (-FLOOR * this.seconds) / Math.max(settings.attack_s, 0.001);
    const fall = (-FLOOR * this.seconds) / Math.max(settings.release_s, 0.001);
    this.pitch += Math.abs(left) <= this.step ? left : Math.sign(left) * this.step;
    this.envelope = towards(this.envelope, this.held ? Math.max(FLOOR, this.target) : FLOOR, rise, fall);
    let cents = 0, played = FLOOR;
    if (this.held || this.played > FLOOR) { // what has ended stays silent
      player.frame();
      cents = player.cents;
      played = Math.max(FLOOR, this.target + player.offDb);
      if (!this.held && played < this.played) this.fading = true;
      if (this.fading) played = Math.min(played, this.played); // a note that was let go does not come back
    }
    this.played = towards(this.played, played, rise, fall);
    this.level = this.envelope + share * (this.played - this.envelope);
    this.bent = (share * cents) / 100;
    this.told = this.level > FLOOR ? this.level + settings.loudness_shift_db : this.level;
    const asleep = this.asleep;
    this.quiet = this.silent ? this.quiet + 1 : 0;
    this.waking = asleep && !this.silent;
    this.ending = !asleep && this.asleep;
  }

  get asleep() {
    return this.quiet >= this.sleepFrames;
  }

  get silent() {
    return !this.held && this.level <= FLOOR;
  }

  get resting() {
    return this.asleep && this.silent;
  }

  settle() {}
}

const towards = (from, to, rise, fall) => from + Math.min(Math.max(to - from, -fall), rise);
