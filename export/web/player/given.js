// A file that somebody gave: what it is, by what is in it, and a recording as the browser reads it.
import { PlayerError } from "./errors.js";
import { isMidi } from "./midi.js";
import { isModel } from "./tflite.js";

const MIB = 1 << 20, HEAD_BYTES = 8192, MOST_MINUTES = 20, HEAD_MS = 3000;
const SHORTER = "cut it, or play it by ddsp-edge play";
const MOST = { // of each kind: bytes, and what to do about more
  instrument: [64 * MIB, "none has so many"], "MIDI file": [4 * MIB, SHORTER],
  recording: [256 * MIB, "cut it, or save it as FLAC or MP3"],
};

// Its kind, and its bytes.
export async function readGiven(file) {
  if (!file.size) throw new PlayerError("it is empty");
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const kind = isModel(head) ? "instrument" : isMidi(head) ? "MIDI file" : "recording", [most, cure] = MOST[kind];
  if (file.size > most) {
    throw new PlayerError(`it has ${Math.ceil(file.size / MIB)} MB, and of a ${kind} ${most / MIB} are read: ${cure}`);
  }
  return { kind, bytes: new Uint8Array(await file.arrayBuffer()) };
}

// Its samples, mono at a rate. What is longer than there is memory for is refused before it is decoded, if its head tells.
export async function decoded(file, bytes, rate) {
  checkLength(await secondsOf(file));
  try {
    const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.buffer);
    checkLength(sound.duration);
    const mono = new Float32Array(sound.length);
    for (let c = 0; c < sound.numberOfChannels; c++) {
      sound.getChannelData(c).forEach((x, n) => { mono[n] += x / sound.numberOfChannels; });
    }
    return mono;
  } catch (error) {
    if (error.name !== "EncodingError") throw error;
    throw new PlayerError(
      "it is no instrument (a .tflite by ddsp-tf export), no MIDI file, and no recording that this browser can read, "
      + "or an empty one");
  }
}

function checkLength(seconds) {
  if (seconds < Infinity && seconds > 60 * MOST_MINUTES) {
    const minutes = Math.ceil(seconds / 60);
    throw new PlayerError(`it lasts ${minutes} minutes, and of a recording ${MOST_MINUTES} are played: ${SHORTER}`);
  }
}

// As its head has it; no finite number where that does not tell.
function secondsOf(file) {
  return new Promise((resolve) => {
    const sound = new Audio(), address = URL.createObjectURL(file);
    const end = () => (URL.revokeObjectURL(address), resolve(sound.duration));
    sound.onloadedmetadata = sound.onerror = end;
    setTimeout(end, HEAD_MS);
    sound.preload = "metadata";
    sound.src = address;
  });
}
