// A Standard MIDI File as a list of events in seconds: notes, pedal and bend of all channels but drums.
import { PlayerError } from "./errors.js";

const DRUMS = 9, MOST_SECONDS = 24 * 3600, MOST_BYTES = 4 << 20, USUAL_TEMPO = 500000;

// Returns [{ time, name, given }]: what is to be called on Voices, and when; and the length in seconds.
export function readMidi(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = find(bytes, "MThd");
  if (!isMidi(bytes) || start + 14 > bytes.length) throw new PlayerError("it is not a MIDI file");
  if (bytes.length > MOST_BYTES) throw new PlayerError(`it has more than ${MOST_BYTES} bytes, the most that is read`);
  const kind = view.getUint16(start + 8), division = view.getUint16(start + 12);
  const tracks = [];
  let at = start + 8 + view.getUint32(start + 4);
  while (at + 8 <= bytes.length) {
    const size = Math.min(view.getUint32(at + 4), bytes.length - at - 8);
    if (name(bytes, at) === "MTrk") tracks.push(readTrack(bytes.subarray(at + 8, at + 8 + size)));
    at += 8 + size;
  }
  const events = merged(tracks, kind === 2);
  return timed(events, division);
}

// What may stand before it is a RIFF header, or that of an old Macintosh.
export function isMidi(bytes) {
  const start = find(bytes, "MThd");
  return start >= 0 && start <= 4096;
}

const name = (bytes, at) => String.fromCharCode(...bytes.subarray(at, at + 4));

function find(bytes, text) {
  for (let at = 0; at + 4 <= Math.min(bytes.length, 8192); at++) if (name(bytes, at) === text) return at;
  return -1;
}

// Messages of a track: { tick, status, first, second } or { tick, tempo }, and the tick of its end.
function readTrack(bytes) {
  const messages = [];
  let at = 0, tick = 0, running = 0;
  const byte = () => {
    if (at >= bytes.length) throw new RangeError("it breaks off");
    return bytes[at++];
  };
  const variable = () => {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const next = byte();
      value = (value << 7) | (next & 127);
      if (next < 128) return value;
    }
    throw new PlayerError("a length or time in it has more than four bytes");
  };
  try {
    while (at < bytes.length) {
      tick += variable();
      let status = byte();
      if (status === 0xff) {
        const type = byte(), length = variable();
        if (type === 0x2f) break;
        if (type === 0x51 && length === 3) messages.push({ tick, tempo: (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2] });
        at += length;
      } else if (status >= 0xf0) {
        if (status === 0xf0 || status === 0xf7) at += variable();
        else at += { 0xf1: 1, 0xf2: 2, 0xf3: 1 }[status] ?? 0;
      } else {
        let first;
        if (status < 128) {
          if (!running) throw new PlayerError("a data byte stands where a message should begin");
          first = status;
          status = running;
        } else first = byte();
        running = status;
        const second = [0xc, 0xd].includes(status >> 4) ? 0 : byte();
        messages.push({ tick, status, first, second });
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // what is there is played
  }
  return { messages, end: tick };
}

// All tracks together, or of type 2 one after the other; of one tick, what ends a note before what begins one.
function merged(tracks, follow) {
  const all = [];
  let begins = 0;
  tracks.forEach(({ messages, end }, track) => {
    for (const message of messages) all.push({ ...message, tick: message.tick + begins, track });
    if (follow) begins += end;
  });
  const strikes = ({ status, second }) => (status >> 4 === 9 && second > 0 ? 1 : 0);
  return all
    .map((message, place) => ({ message, place }))
    .sort((a, b) => a.message.tick - b.message.tick
      || (a.message.track === b.message.track ? 0 : strikes(a.message) - strikes(b.message))
      || a.place - b.place)
    .map(({ message }) => message);
}

function timed(messages, division) {
  const frames = division & 0x8000 ? 256 - (division >> 8) : 0;
  let perTick = frames
    ? 1 / ((frames === 29 ? 30000 / 1001 : frames) * ((division & 255) || 40))
    : USUAL_TEMPO / 1e6 / (division || 480);
  const events = [];
  let time = 0, before = 0, notes = 0;
  for (const { tick, status, first, second, tempo } of messages) {
    time += (tick - before) * perTick;
    before = tick;
    if (time > MOST_SECONDS) throw new PlayerError("it is longer than a day");
    if (tempo !== undefined) {
      if (!frames && tempo > 0) perTick = tempo / 1e6 / (division || 480);
      continue;
    }
    const kind = status >> 4;
    if ((status & 15) === DRUMS) continue;
    if (kind === 9 && second > 0) {
      events.push({ time, name: "noteOn", given: [first, second, status & 15] });
      notes++;
    } else if (kind === 8 || kind === 9) events.push({ time, name: "noteOff", given: [first, status & 15] });
    else if (kind === 11 && first === 64) events.push({ time, name: "sustain", given: [second >= 64] });
    else if (kind === 11 && (first === 120 || first === 123)) events.push({ time, name: "allOff", given: [] });
    else if (kind === 14) events.push({ time, name: "bendTo", given: [(2 * (first + 128 * second - 8192)) / 8192] });
  }
  if (!notes) throw new PlayerError("it holds no notes (drums on channel 10 are left out)");
  return { events, seconds: time };
}
