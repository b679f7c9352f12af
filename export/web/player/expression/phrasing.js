// What is known of a note while it sounds: the note, what came before it, and in files what comes. As
// ddsp_edge/expression/notes.py has it.
export const PHRASE_GAP_S = 0.25; // a rest at least this long ends a phrase
export const CHORD_S = 0.03; // notes that begin within this time are struck together: none comes before another

// Follows one player note by note; times are seconds.
export class Phrasing {
  constructor() {
    this.forget();
  }

  // The next note is the first.
  forget() {
    this.last = this.before = null; // note, and the one before it
    this.onset = this.phrase = -Infinity; // of the last note, and of its phrase
    this.end = null; // of the last note; null while it is held
    this.gap = Infinity; // before the last note
  }

  // A note begins. Returns it among the others; `ahead` is what comes, where that is known (look-ahead.js).
  press(pitch, velocity, now, ahead = null) {
    if (now - this.onset >= CHORD_S) {
      if (!this.last) this.gap = Infinity;
      else this.gap = this.end === null ? 0 : Math.max(0, now - this.end);
      if (this.gap >= PHRASE_GAP_S) this.phrase = now;
      this.onset = now;
      this.before = this.last;
    }
    const { before, gap } = this;
    this.last = { pitch, velocity };
    this.end = null;
    const interval = before ? pitch - before.pitch : 0, change = before ? velocity - before.velocity : 0;
    return { pitch, velocity, interval, change, gap, phrase: now - this.phrase, ahead };
  }

  // No note is held any more.
  release(now) {
    this.end = now;
  }
}
