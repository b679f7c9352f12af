// A MIDI file or a recording on an instrument, as fast as it goes: 16-bit WAV.
import { Effect } from "./effect.js";
import { lookingAhead, SLACK } from "./expression/look-ahead.js";
import { PlayerError } from "./errors.js";
import { LATENCIES } from "./features/follower.js";
import { readMidi } from "./midi.js";
import { Voices } from "./voices.js";

const LONGEST_RING_S = 10, BLOCK = 1024, MOST_SECONDS = 3600; // for the last there is memory
const SILENT_DB = -75, SILENT = "it is silent: nothing to follow"; // as ddsp_edge has it

// What readMidi gives, of a file that is short enough.
export function scoreOf(bytes) {
  const piece = readMidi(bytes);
  if (piece.seconds <= MOST_SECONDS) return piece;
  const minutes = Math.ceil(piece.seconds / 60), length = `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  throw new PlayerError(`it lasts ${length}, and up to an hour is played here; ddsp-edge play plays all of it`);
}

// Refuses a recording in which there is nothing to hear.
export function checkHeard(samples, { sample_rate, hop }) {
  if (samples.length < hop) {
    throw new PlayerError(`it is too short: less than one frame, ${hop} samples at ${sample_rate} Hz`);
  }
  if (samples.every((x) => x === 0)) throw new PlayerError(SILENT);
}

// `file`: what readModelFile gave. `progress` is called with seconds done and in all. Returns a Uint8Array.
export function renderMidi(file, bytes, settings = {}, voices = 8, progress = () => {}) {
  const piece = scoreOf(bytes), { seconds } = piece, player = new Voices(file, voices);
  Object.assign(player.settings, settings);
  const { hop, sampleRate } = player.spec, parts = [], knows = player.expression !== null;
  const events = knows ? lookingAhead(piece.events, seconds, sampleRate) : piece.events;
  const early = knows ? hop + SLACK : 0; // samples: it is told what happens up to the end of a hop, as on the device side
  let next = 0, quiet = 0;
  for (let hops = 0; ; hops++) {
    const time = (hops * hop) / sampleRate, heard = (hops * hop + early) / sampleRate;
    for (; next < events.length && events[next].time <= heard; next++) player[events[next].name](...events[next].given);
    if (next === events.length && heard > seconds) player.allOff();
    const sound = player.process();
    parts.push(whole(sound));
    if (hops % 256 === 0) progress(Math.min(time, seconds), seconds);
    quiet = parts.at(-1).every((x) => x === 0) ? quiet + 1 : 0;
    const over = next === events.length && time > seconds;
    if (over && (quiet * hop > sampleRate / 10 || time > seconds + LONGEST_RING_S)) break;
  }
  return wav(parts, sampleRate);
}

// The same of a recording: `samples` are mono, at the rate of the instrument. It sounds as through the live effect at its
// surest, less the latency; after it the room rings out.
export function renderRecording(file, samples, settings = {}, progress = () => {}) {
  checkHeard(samples, file.card);
  const voices = new Voices(file, 1), effect = new Effect(voices, LATENCIES.full);
  Object.assign(voices.settings, { gate: false }, settings);
  const { sampleRate, hop } = voices.spec, parts = [], hops = Math.ceil(samples.length / hop);
  const given = new Float32Array(BLOCK);
  let loudest = -Infinity;
  const hear = (f0, loudness) => {
    if (parts.length > hops) return;
    loudest = Math.max(loudest, loudness);
    parts.push(whole(voices.follow(f0, effect.gated(f0, loudness), parts.length === hops)));
  };
  for (let at = 0; parts.length <= hops; at += BLOCK) {
    given.fill(0);
    given.set(samples.subarray(at, at + BLOCK));
    effect.follower.push(given, hear);
    if (at % (64 * BLOCK) === 0) progress(Math.min(at, samples.length) / sampleRate, samples.length / sampleRate);
  }
  if (loudest < SILENT_DB) throw new PlayerError(SILENT);
  voices.rest();
  for (let quiet = 0, rung = 0; quiet * hop < sampleRate / 10 && rung * hop < LONGEST_RING_S * sampleRate; rung++) {
    parts.push(whole(voices.process()));
    quiet = parts.at(-1).every((x) => Math.abs(x) < 2) ? quiet + 1 : 0;
  }
  return wav(parts, sampleRate);
}

const whole = (sound) => Int16Array.from(sound, (x) => Math.round(32767 * Math.min(Math.max(x, -1), 1)));

function wav(parts, rate) {
  const samples = parts.reduce((sum, part) => sum + part.length, 0);
  const out = new Uint8Array(44 + 2 * samples), view = new DataView(out.buffer);
  const text = (at, words) => [...words].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  [1, 1].forEach((value, i) => view.setUint16(20 + 2 * i, value, true)); // PCM, mono
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  [2, 16].forEach((value, i) => view.setUint16(32 + 2 * i, value, true));
  text(36, "data");
  view.setUint32(40, 2 * samples, true);
  let at = 44;
  for (const part of parts) {
    for (let i = 0; i < part.length; i++, at += 2) view.setInt16(at, part[i], true);
  }
  return out;
}
