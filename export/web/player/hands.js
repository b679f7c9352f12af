// Who holds which note: keys of the computer, fingers, a MIDI keyboard. A note ends when the last of them lets it go.
export class Hands {
  // `send` takes what the audio thread is told; `changed` is called when other notes are held than before.
  constructor(send, changed) {
    Object.assign(this, { send, changed, silent: false }); // `silent`: nothing can be struck
    this.held = new Map();
  }

  strike(who, note, velocity = 96, channel = 0) {
    if (this.silent) return;
    const before = this.held.get(who);
    this.held.set(who, { note, channel });
    this.send({ type: "on", note, velocity, channel });
    this.end(before);
  }

  lift(who) {
    const before = this.held.get(who);
    this.held.delete(who);
    this.end(before);
  }

  // Of those who are `meant`, all.
  liftAll(meant = () => true) {
    for (const who of [...this.held.keys()].filter(meant)) this.lift(who);
  }

  end(before) {
    const same = ({ note, channel }) => note === before.note && channel === before.channel;
    if (before && ![...this.held.values()].some(same)) this.send({ type: "off", ...before });
    this.changed();
  }

  holds(note) {
    return [...this.held.values()].some((one) => one.note === note);
  }
}
