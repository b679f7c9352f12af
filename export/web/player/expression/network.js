// The network of expression: where a note is in its course, to pitch and loudness around it. Inputs and outputs are those
// of ddsp_edge/expression/network.py; docs/model-file.md has them as a table.
import { PlayerError } from "../errors.js";
import { plainProduct } from "../products.js";

const NOTE_INPUTS = 12, INPUTS = 23, OUTPUTS = 4, LAYERS = 3, MOST_UNITS = 64;
const ATTACK_S = [0.015, 0.05, 0.15, 0.5], RELEASE_S = [0.02, 0.06], END_S = [0.03, 0.12, 0.4];
const MOST_LATE_S = 0.1, NEAR_S = 0.08, RECENT_S = 0.3, PHRASE_S = 3, LONG_S = 3;

export const within = (value, low, high) => Math.min(Math.max(value, low), high);

export class ExpressionNetwork {
  // That of a file, `card` and `arrays` of what readModelFile gave; null where it has none.
  static of(file) {
    return "expression_0_weights" in file.arrays ? new ExpressionNetwork(file) : null;
  }

  constructor({ card, arrays }) {
    this.inputs = new Float32Array(INPUTS);
    this.layers = [];
    let values = this.inputs;
    for (let number = 0; number < LAYERS; number++) {
      const [weights, bias] = ["weights", "bias"].map((part) => `expression_${number}_${part}`);
      const [rows, size, ...more] = card.arrays[weights] ?? [], sizes = card.arrays[bias] ?? [];
      if (rows !== values.length || more.length || sizes.length !== 1 || sizes[0] !== size || !(size >= 1 && size <= MOST_UNITS)
        || (number === LAYERS - 1 && size !== OUTPUTS)) {
        throw new PlayerError(`its arrays ${weights} and _bias do not fit each other, or are of another version`);
      }
      const matrix = new Float32Array(rows * size); // a row for each unit
      arrays[weights].forEach((weight, i) => { matrix[(i % size) * rows + Math.floor(i / size)] = weight; });
      const out = new Float32Array(size);
      this.layers.push({ product: plainProduct(matrix, arrays[bias], values, out, rows), out });
      values = out;
    }
    this.outputs = values;
    this.late = arrays.expression_late ?? new Float32Array(128);
    const form = "expression_late" in arrays ? card.arrays.expression_late.join() : "128";
    if (form !== "128" || this.late.length !== 128 || !this.late.every((seconds) => Math.abs(seconds) <= MOST_LATE_S)) {
      throw new PlayerError(`its array expression_late must be 128 numbers from -${MOST_LATE_S} to ${MOST_LATE_S}`);
    }
  }

  // How much later than usual a note is heard, seconds.
  lateOf(pitch) {
    return this.late[within(Math.floor(pitch + 0.5), 0, 127)];
  }

  // From `inputs` to `outputs`.
  run() {
    for (const { product, out } of this.layers) {
      product();
      if (out !== this.outputs) for (let i = 0; i < out.length; i++) out[i] = Math.tanh(out[i]);
    }
  }
}

// Inputs that stay as long as a note lasts; `note` is of a Phrasing.
export function noteInputs({ pitch, velocity, interval, change, gap, phrase, ahead }) {
  const now = [
    (pitch - 66) / 18, (velocity - 80) / 32, ...around(gap, interval, change), Math.tanh(phrase / PHRASE_S),
  ];
  if (!ahead) return Float32Array.from({ length: NOTE_INPUTS }, (_, i) => now[i] ?? 0);
  return Float32Array.of(
    ...now, 1, within(Math.log2(Math.max(ahead.duration, 0.01) / 0.4) / 3, -1, 1),
    ...around(ahead.gap, ahead.interval, ahead.change), Math.tanh(ahead.phrase / PHRASE_S),
  );
}

function around(gap, interval, change) {
  const recent = Math.exp(-gap / RECENT_S);
  return [Math.exp(-gap / NEAR_S), recent * within(interval / 12, -1, 1), (recent * change) / 32];
}

// Inputs that change from frame to frame, behind those: seconds since the onset, and since the end, below 0 before it;
// `late` is how much later than usual the note is heard.
export function timeInputs(inputs, ahead, sinceOnset, sinceEnd, late) {
  let at = NOTE_INPUTS;
  const sinceAttack = Math.max(sinceOnset - late, 0);
  for (let i = 0; i < ATTACK_S.length; i++) inputs[at++] = Math.exp(-sinceAttack / ATTACK_S[i]);
  inputs[at++] = Math.min(sinceOnset / LONG_S, 1);
  const ended = sinceEnd >= 0, left = ahead ? Math.max(ahead.duration - sinceOnset, 0) : Infinity;
  inputs[at++] = ended ? 1 : 0;
  for (let i = 0; i < RELEASE_S.length; i++) inputs[at++] = ended ? Math.exp(-sinceEnd / RELEASE_S[i]) : 0;
  for (let i = 0; i < END_S.length; i++) inputs[at++] = ended ? 0 : Math.exp(-left / END_S[i]);
}
