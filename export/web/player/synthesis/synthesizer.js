// The processor group of a card: controls of a frame in, a hop of sound out.
import { PlayerError } from "../errors.js";
import { FilteredNoise } from "./filtered-noise.js";
import { Harmonic } from "./harmonic.js";
import { Add, Mix } from "./mixing.js";
import { Reverb } from "./reverb.js";

const LEVELS = { Harmonic: "amplitude", FilteredNoise: "magnitudes" };
const WANTED = {
  Harmonic: ["amplitude", "distribution", "f0_hz"], FilteredNoise: ["magnitudes"], Reverb: ["audio"],
  Mix: ["audio_0", "audio_1", "level"],
};
const SIGNALS = ["audio", "audio_0", "audio_1"];

export class Synthesizer {
  // `channels`: of each control that will be given, by name, f0_hz among them.
  constructor(card, arrays, channels) {
    this.spec = { sampleRate: card.sample_rate, hop: card.hop };
    const nodes = card.synthesizer?.nodes;
    if (!Array.isArray(nodes) || !nodes.length || nodes.length > 64) throw new PlayerError("its card has no synthesizer");
    const known = new Set();
    this.nodes = nodes.map(({ name, type, config, inputs }) => {
      const wanted = WANTED[type] ?? Object.keys(inputs ?? {});
      if (wanted.some((control) => typeof inputs?.[control] !== "string")) {
        throw new PlayerError(`its node ${name} lacks an input of ${wanted}`);
      }
      const processor = this.processor(name, type, config ?? {}, arrays);
      const sizes = { Harmonic: { amplitude: 1, distribution: processor.harmonics, f0_hz: 1 },
        FilteredNoise: { magnitudes: processor.bands }, Mix: { level: 1 } }[type] ?? {};
      for (const control of wanted) {
        const source = inputs[control], signal = type === "Add" || SIGNALS.includes(control);
        if (signal ? !known.has(source) : channels[source] !== sizes[control]) {
          throw new PlayerError(`its node ${name} takes ${source} for ${control}, which does not fit`);
        }
      }
      known.add(name);
      return { name, type, processor, inputs, sources: Object.entries(inputs), level: LEVELS[type], given: {}, out: new Float32Array(card.hop) };
    });
    this.output = this.nodes.find((node) => node.name === card.synthesizer.output);
    if (!this.output) throw new PlayerError("its card names an output that is none of its nodes");
    this.signals = Object.fromEntries(this.nodes.map((node) => [node.name, node.out]));
  }

  processor(name, type, config, arrays) {
    const whole = (key, low, high) => {
      const value = config[key];
      if (!Number.isInteger(value) || value < low || value > high) {
        throw new PlayerError(`its node ${name} has ${key} ${value}; ${low} to ${high} are played`);
      }
      return value;
    };
    if (type === "Harmonic") return new Harmonic(this.spec, whole("n_harmonics", 1, 2048));
    if (type === "FilteredNoise") return new FilteredNoise(this.spec, whole("n_bands", 2, 1025));
    if (type === "Mix") return new Mix(this.spec);
    if (type === "Add") return new Add();
    if (type === "Reverb") {
      if (!arrays[config.impulse_response]) throw new PlayerError(`its node ${name} lacks its impulse response`);
      return new Reverb(this.spec, arrays[config.impulse_response]);
    }
    throw new PlayerError(`its node ${name} is of the type ${type}, which is not played here`);
  }

  reset() {
    for (const { processor } of this.nodes) processor.reset();
  }

  // Renders a frame; returns a Float32Array of a hop, which the next frame overwrites. `NODE_noise` among the
  // controls is the white noise of a node, in [-1, 1).
  process(controls) {
    for (const node of this.nodes) {
      for (const [control, source] of node.sources) {
        node.given[control] = this.signals[source] ?? controls[source];
      }
      if (node.type === "FilteredNoise") node.given.noise = controls[`${node.name}_noise`];
      node.processor.process(node.given, node.out);
    }
    return this.output.out;
  }
}
