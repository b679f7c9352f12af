// What comes after each note of a MIDI file, as ddsp_edge/render/look_ahead.py has it.
import { CHORD_S, PHRASE_GAP_S } from "./phrasing.js";

export const SLACK = 1e-4; // samples: times are sums, of which the last bits say nothing

// The first sample that is not before a time, in seconds.
const onGrid = (time, sampleRate) => Math.ceil(time * sampleRate - SLACK) / sampleRate;

// Events of readMidi, each noteOn with what comes after it given as well.
export function lookingAhead(events, seconds, sampleRate) {
  const channels = new Map(), down = new Map(); // notes by channel; those held, oldest first, by channel and note
  const end = onGrid(seconds, sampleRate);
  const told = events.map((event) => ({ ...event, given: [...event.given] }));
  for (const { time, name, given } of told) {
    if (name !== "noteOn" && name !== "noteOff") continue;
    const now = onGrid(time, sampleRate);
    const [pitch, velocity, channel] = name === "noteOn" ? given : [given[0], 0, given[1]];
    const key = 128 * channel + pitch;
    if (!down.has(key)) down.set(key, []);
    if (name === "noteOff") {
      const ended = down.get(key).shift();
      if (ended) ended.offset = now;
      continue;
    }
    const note = { pitch, velocity, onset: now, offset: end, given };
    if (!channels.has(channel)) channels.set(channel, []);
    channels.get(channel).push(note);
    down.get(key).push(note);
  }
  for (const notes of channels.values()) lookAhead(notes);
  return told;
}

function lookAhead(notes) {
  let reach = -Infinity, following = 0;
  const reaches = notes.map(({ offset }) => (reach = Math.max(reach, offset))), phraseEnds = [...reaches];
  for (let i = notes.length - 2; i >= 0; i--) {
    if (notes[i + 1].onset - reaches[i] < PHRASE_GAP_S) phraseEnds[i] = phraseEnds[i + 1];
  }
  notes.forEach(({ pitch, velocity, onset, offset, given }, i) => {
    while (following < notes.length && notes[following].onset < onset + CHORD_S) following++;
    const next = notes[following];
    const ahead = {
      duration: offset - onset,
      gap: next ? Math.max(0, next.onset - offset) : Infinity, // 0 where they overlap
      interval: next ? next.pitch - pitch : 0,
      change: next ? next.velocity - velocity : 0,
      phrase: Math.max(0, phraseEnds[i] - offset), // to the end of its phrase
    };
    for (const name of Object.keys(ahead)) ahead[name] = Math.fround(ahead[name]);
    given.push(ahead);
  });
}
