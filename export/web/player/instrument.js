// An instrument: a model file, ready to turn pitch and loudness into sound, a frame at a time.
import { PlayerError } from "./errors.js";
import { Graph } from "./graph.js";
import { readModelFile } from "./model-file.js";
import { Synthesizer } from "./synthesis/synthesizer.js";
import { readGraph } from "./tflite.js";

const FEATURES = ["f0_scaled", "loudness_scaled"];
// Further features, as ddsp_edge/further.py has them: by what they are divided, how far that goes, and what an octave
// of brightness adds. An upper partial gets 6 dB louder for each octave above the third.
const partials = (first) => [40, 0, 1, Math.round(600 * Math.log2(first / 3)) / 100];
export const FURTHER = {
  voicing: [1, 0, 1, 0],
  brightness: [4, -1, 2, 1],
  ...Object.fromEntries([1, 2, 3, 4, 5, 7, 10, 15].map((first) => [`partials_${first}`, partials(first)])),
};

export class Instrument {
  // `bytes`: a Uint8Array of a .tflite by ddsp-tf export.
  static async open(bytes) {
    return new Instrument(await readModelFile(bytes));
  }

  // What readModelFile gave, or the network of another instrument of that file in place of the model.
  constructor({ card, arrays, model, network = readGraph(model, "step") }) {
    this.card = card;
    this.spec = { sampleRate: card.sample_rate, hop: card.hop };
    if (![card.sample_rate, card.hop].every((n) => Number.isInteger(n) && n > 0 && n <= 1e6)) {
      throw new PlayerError("its card has no sample rate or hop");
    }
    this.network = network;
    this.graph = new Graph(network);
    this.states = Object.keys(card.states ?? card.state_shapes ?? {});
    for (const name of [...FEATURES, ...this.states]) {
      if (!this.graph.inputs[name]) throw new PlayerError(`its network takes no ${name}`);
    }
    // Further features are what they usually are for a pitch and a loudness.
    this.further = Object.entries(card.further ?? {}).map(([name, { range, line }]) => {
      const input = this.graph.inputs[`${name}_scaled`];
      if (!FURTHER[name] || !input) throw new PlayerError(`its card tells of ${name}, which this player does not know`);
      if (line?.length !== 3 || ![...line, range?.high].every(Number.isFinite)) {
        throw new PlayerError(`its card does not say what its ${name} usually is`);
      }
      return { name, input, line, high: Math.max(range.high, 0), scale: FURTHER[name] };
    });
    const known = [...FEATURES, ...this.states, ...this.further.map(({ name }) => `${name}_scaled`)];
    const strange = Object.keys(this.graph.inputs).filter((name) => !known.includes(name));
    if (strange.length) throw new PlayerError(`its network takes ${strange.join(", ")}, which this player does not know`);
    this.brightness = 0; // octaves added
    this.controls = { f0_hz: new Float64Array(1) };
    for (const [name, values] of Object.entries(this.graph.outputs)) {
      if (!this.states.includes(name)) this.controls[name] = values;
    }
    const channels = Object.fromEntries(Object.entries(this.controls).map(([name, v]) => [name, v.length]));
    this.synthesizer = new Synthesizer(card, arrays, channels);
    this.predicted = Object.entries(this.controls).filter(([name]) => name !== "f0_hz").map(([, values]) => values);
    this.reset();
  }

  reset() {
    for (const name of this.states) this.graph.inputs[name].fill(0);
    this.synthesizer.reset();
    this.f0 = this.card.f0_hz_range?.median ?? 220;
  }

  // Plays a frame: f0 in Hz, where it is no number above 0 the last one holds; loudness in dB. Returns a
  // Float32Array of a hop, which the next frame overwrites. `given` may hold the noise of a node.
  process(f0, loudness, given = null) {
    this.predict(f0, loudness);
    return this.render(given);
  }

  // Runs the network: `controls` by name are those of this frame then, and may be changed.
  predict(f0, loudness) {
    if (f0 > 0 && f0 < Infinity) this.f0 = Math.fround(Math.min(f0, this.spec.sampleRate / 2));
    const level = Number.isFinite(loudness) ? loudness : -80;
    const { inputs } = this.graph;
    inputs.f0_scaled[0] = Math.min(Math.max((69 + 12 * Math.log2(this.f0 / 440)) / 127, 0), 1);
    inputs.loudness_scaled[0] = Math.min(Math.max(level / 80 + 1, 0), 1.25);
    for (const { input, line, high, scale: [unit, least, most, octave] } of this.further) {
      const usual = line[0] + line[1] * inputs.f0_scaled[0] + line[2] * inputs.loudness_scaled[0];
      const value = Math.min(Math.max(usual, 0), high) + octave * this.brightness;
      input[0] = Math.min(Math.max(value / unit, least), most);
    }
    this.graph.run();
    for (const name of this.states) inputs[name].set(this.graph.outputs[name]);
    this.controls.f0_hz[0] = this.f0;
    for (const values of this.predicted) {
      for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) values[i] = 0;
    }
  }

  // Plays the controls as they are now.
  render(given = null) {
    const out = this.synthesizer.process(given ? { ...this.controls, ...given } : this.controls);
    for (let n = 0; n < out.length; n++) if (!Number.isFinite(out[n])) out[n] = 0;
    return out;
  }
}
