// A note as it is played, frame by frame: what the network says of it, and a vibrato that goes on. As
// ddsp_edge/expression/note_player.py has it.
import { noteInputs, timeInputs, within } from "./network.js";

const DEEPEST_DB = -45, LOUDEST_DB = 15, MOST_CENTS = 100, SLOWEST_HZ = 4, FASTEST_HZ = 8;
const RELEASE_DB_PER_S = 80; // every note ends

export class NotePlayer {
  // `network`: an ExpressionNetwork, which players may share; `seconds`: of a frame.
  constructor(network, seconds) {
    Object.assign(this, { network, seconds, cycles: 0, cents: 0, offDb: 0 });
    this.press({ pitch: 69, velocity: 64, interval: 0, change: 0, gap: Infinity, phrase: 0, ahead: null });
  }

  // A note begins; under a slur its vibrato goes on.
  press(note) {
    this.ahead = note.ahead;
    this.inputs = noteInputs(note);
    this.late = this.network.lateOf(note.pitch);
    this.frames = 0;
    this.released = -1; // the frame before which it was let go
    if (note.gap > 0) this.cycles = 0;
  }

  release() {
    if (this.released < 0) this.released = this.frames;
  }

  // Moves on by one frame: `cents` off the note and `offDb` off its level. What happened since the frame before is taken to
  // have happened in the middle of it.
  frame() {
    const { network, seconds } = this, sinceOnset = (this.frames + 0.5) * seconds;
    const sinceEnd = sinceOnset - (this.released < 0 ? this.frames + 1 : this.released) * seconds;
    network.inputs.set(this.inputs);
    timeInputs(network.inputs, this.ahead, sinceOnset, sinceEnd, this.late);
    network.run();
    const said = network.outputs, depth = within(10 * said[2], 0, MOST_CENTS);
    this.frames++;
    this.cycles = (this.cycles + within(5.5 + said[3], SLOWEST_HZ, FASTEST_HZ) * seconds) % 1;
    this.cents = within(10 * said[1], -MOST_CENTS, MOST_CENTS) + depth * Math.sin(2 * Math.PI * this.cycles);
    this.offDb = within(10 * said[0], DEEPEST_DB, LOUDEST_DB) - RELEASE_DB_PER_S * Math.max(sinceEnd, 0);
  }
}
