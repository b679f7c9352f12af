// A model file: the flatbuffer, its card and its arrays; see docs/model-file.md.
import { PlayerError } from "./errors.js";
import { isModel } from "./tflite.js";
import { member, members } from "./zip.js";

const MOST_CARD = 4 << 20, MOST_ARRAYS = 64 << 20;

export async function readModelFile(bytes) {
  if (!isModel(bytes)) throw new PlayerError("it is not a TensorFlow Lite file");
  const parts = members(bytes);
  if (!parts.has("metadata.json")) throw new PlayerError("it has no card: it was not exported by ddsp_tf");
  let card;
  try {
    card = JSON.parse(new TextDecoder().decode(await member(bytes, parts.get("metadata.json"), MOST_CARD)));
  } catch (error) {
    if (error instanceof PlayerError) throw error;
    throw new PlayerError(`its card is not JSON: ${error.message}`);
  }
  if (!("schema_version" in card) && "num_noise_amps" in card) {
    throw new PlayerError("it is an instrument of the plug-in DDSP-VST, which is not played here");
  }
  if (![1, 2].includes(card.schema_version)) {
    throw new PlayerError(`its card has schema version ${card.schema_version}; 1 and 2 are read here`);
  }
  const task = card.task ?? "instrument";
  if (task !== "instrument") throw new PlayerError(`it is a model for the task '${task}', not an instrument`);
  if ((card.level ?? "loudness") !== "loudness") {
    throw new PlayerError(`it hears the '${card.level}' of a sound, and loudness is what is measured here`);
  }
  if (!Number.isInteger(card.model_bytes) || card.model_bytes < 8 || card.model_bytes > bytes.length) {
    throw new PlayerError(`its card says that the network has ${card.model_bytes} bytes of ${bytes.length}`);
  }
  const arrays = {};
  let total = 0;
  for (const [name, shape] of Object.entries(card.arrays ?? {})) {
    const size = 4 * shape.reduce((product, n) => product * n, 1);
    total += size;
    if (!(size > 0 && total <= MOST_ARRAYS)) throw new PlayerError(`its array ${name} has the shape [${shape}]`);
    const half = parts.has(`${name}.f16`), there = half ? size / 2 : size;
    if (!half && !parts.has(`${name}.f32`)) throw new PlayerError(`its array ${name} is missing`);
    const data = await member(bytes, parts.get(half ? `${name}.f16` : `${name}.f32`), MOST_ARRAYS);
    if (data.length !== there) throw new PlayerError(`its array ${name} has ${data.length} bytes, not ${there}`);
    arrays[name] = half ? fromHalf(data) : new Float32Array(data.buffer, data.byteOffset, size / 4);
    if (!arrays[name].every(Number.isFinite)) throw new PlayerError(`its array ${name} holds what is no number`);
  }
  return { card, arrays, model: bytes.slice(0, card.model_bytes) };
}

// Numbers of half precision, little-endian, as float32, which holds all of them.
function fromHalf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), values = new Float32Array(bytes.length / 2);
  for (let i = 0; i < values.length; i++) {
    const bits = view.getUint16(2 * i, true), exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent === 31 ? (fraction ? NaN : Infinity)
      : exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
    values[i] = bits & 0x8000 ? -size : size;
  }
  return values;
}
