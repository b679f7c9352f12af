// The operators of our models, each built once for the shapes it has: functions that fill their output.
import { PlayerError } from "./errors.js";
import * as loops from "./loops.js";
import { hybridProduct, plainProduct } from "./products.js";
import { size } from "./tflite.js";

// Weights that are stored in fewer bits, as float32: what an operator DEQUANTIZE gives; made once for all voices.
export function dequantized(tensor) {
  if (!tensor.floats) tensor.floats = floats(tensor);
  return tensor.floats;
}

function floats(tensor) {
  if (!tensor.data || tensor.data instanceof Int32Array) {
    throw new PlayerError("an operator DEQUANTIZE is used on something else than weights");
  }
  const values = Float32Array.from(tensor.data);
  if (tensor.data instanceof Int8Array) {
    const rows = tensor.shape[0] ?? 1, columns = values.length / rows;
    if (![1, rows].includes(tensor.scales.length)) throw new PlayerError("weights have scales that do not fit");
    for (let i = 0; i < values.length; i++) values[i] *= tensor.scales[Math.floor(i / columns) % tensor.scales.length];
  }
  return values;
}

// `call` has name, options, inputs and outputs: each a {shape, values, tensor}. Returns what computes it.
export function build(call) {
  const builder = BUILDERS[call.name];
  if (!builder) throw new PlayerError(`it uses the operator ${call.name}, which is not run here`);
  return builder(call);
}

const option = (call, field, kind = "i") => (call.options ? call.options.number(field, kind) : 0);

function activated(call, field, run) {
  const kind = option(call, field, "b");
  if (kind === 0) return run;
  if (kind !== 1) throw new PlayerError(`an operator ${call.name} has the activation ${kind}, which is not known`);
  const out = call.outputs[0].values;
  return () => {
    run();
    for (let i = 0; i < out.length; i++) if (out[i] < 0) out[i] = 0;
  };
}

function require(call, shape, place = 0) {
  if (call.outputs[place].shape.join() !== shape.join()) {
    throw new PlayerError(`an operator ${call.name} gives [${shape}], not [${call.outputs[place].shape}]`);
  }
}

const unary = (loop) => (call) => {
  require(call, call.inputs[0].shape);
  const x = call.inputs[0].values, out = call.outputs[0].values;
  return () => loop(out, x);
};

// Places of the values of an input that is stretched to a shape.
function stretched(shape, to) {
  const places = new Int32Array(size(to)), padded = [...Array(to.length - shape.length).fill(1), ...shape];
  for (let i = 0; i < places.length; i++) {
    let rest = i, place = 0, step = 1;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const at = rest % to[axis];
      rest = Math.floor(rest / to[axis]);
      if (padded[axis] !== 1) place += at * step;
      step *= padded[axis];
    }
    places[i] = place;
  }
  return places;
}

const binary = (loop, fused = true) => (call) => {
  const [a, b] = call.inputs, out = call.outputs[0], shape = out.shape;
  const common = Array.from({ length: Math.max(a.shape.length, b.shape.length) }, (_, i) => {
    const [x, y] = [a, b].map((each) => each.shape.at(-1 - i) ?? 1);
    if (x !== y && x !== 1 && y !== 1) throw new PlayerError(`an operator ${call.name} has inputs that do not fit`);
    return Math.max(x, y);
  }).reverse();
  require(call, common);
  const ofA = stretched(a.shape, shape), ofB = stretched(b.shape, shape);
  const x = a.values, y = b.values, z = out.values;
  const run = () => loop(z, x, ofA, y, ofB);
  return fused ? activated(call, 0, run) : run;
};

const sizes = (call, place) => {
  const data = call.inputs[place]?.tensor.data;
  if (!(data instanceof Int32Array)) throw new PlayerError(`an operator ${call.name} has sizes that are not constant`);
  return [...data];
};

function axisOf(call, axis, place) {
  const rank = call.inputs[place].shape.length;
  if (!(axis >= -rank && axis < rank)) throw new PlayerError(`an operator ${call.name} has the axis ${axis} of ${rank}`);
  return (axis + rank) % rank;
}

const reduce = (mean) => (call) => {
  const { shape, values } = call.inputs[0], keep = option(call, 0, "B");
  const axes = new Set(sizes(call, 1).map((axis) => axisOf(call, axis, 0)));
  require(call, shape.map((n, axis) => (axes.has(axis) ? 1 : n)).filter((_, axis) => keep || !axes.has(axis)));
  const places = stretched(shape.map((n, axis) => (axes.has(axis) ? 1 : n)), shape);
  const out = call.outputs[0].values, sums = new Float64Array(out.length);
  const share = mean ? out.length / values.length : 1;
  return () => {
    sums.fill(0);
    for (let i = 0; i < values.length; i++) sums[places[i]] += values[i];
    for (let i = 0; i < out.length; i++) out[i] = sums[i] * share;
  };
};

// Copies runs of values, each a view `from` one array, `to` another `at` a place.
const copies = (runs) => () => {
  for (let i = 0; i < runs.length; i++) runs[i].to.set(runs[i].from, runs[i].at);
};

function concatenation(call) {
  const axis = axisOf(call, option(call, 0), 0), out = call.outputs[0];
  const total = call.inputs.reduce((sum, input) => sum + input.shape[axis], 0);
  require(call, call.inputs[0].shape.map((n, i) => (i === axis ? total : n)));
  const outer = size(out.shape.slice(0, axis)), inner = size(out.shape.slice(axis + 1));
  let at = 0;
  const runs = call.inputs.flatMap((input) => {
    const length = input.shape[axis] * inner;
    if (input.values.length !== outer * length) throw new PlayerError("an operator CONCATENATION does not fit");
    const start = at;
    at += length;
    return Array.from({ length: outer }, (_, i) => ({
      from: input.values.subarray(i * length, (i + 1) * length), to: out.values, at: i * total * inner + start }));
  });
  return activated(call, 1, copies(runs));
}

function parts(call, place, axis, lengths) {
  const input = call.inputs[place], all = input.shape[axis];
  if (lengths.length !== call.outputs.length || lengths.reduce((a, b) => a + b, 0) !== all) {
    throw new PlayerError(`an operator ${call.name} has parts that are not the whole`);
  }
  const outer = size(input.shape.slice(0, axis)), inner = size(input.shape.slice(axis + 1));
  let begin = 0;
  const runs = lengths.flatMap((length, i) => {
    require(call, input.shape.map((n, k) => (k === axis ? length : n)), i);
    const start = begin;
    begin += length;
    return Array.from({ length: outer }, (_, k) => ({
      from: input.values.subarray((k * all + start) * inner, (k * all + start + length) * inner),
      to: call.outputs[i].values, at: k * length * inner }));
  });
  return copies(runs);
}

function split(call) {
  const axis = axisOf(call, sizes(call, 0)[0], 1), count = call.outputs.length;
  return parts(call, 1, axis, Array(count).fill(call.inputs[1].shape[axis] / count));
}

function stridedSlice(call) {
  if (option(call, 2) || option(call, 3) || option(call, 5, "B")) {
    throw new PlayerError("an operator STRIDED_SLICE has an ellipsis, a new axis or an offset: not known here");
  }
  const { shape, values } = call.inputs[0], [begins, ends, steps] = [1, 2, 3].map((place) => sizes(call, place));
  let places = [0], rest = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const n = shape[axis], bit = 1 << axis, wrap = (i) => (i < 0 ? i + n : i);
    let chosen = Array.from({ length: n }, (_, i) => i);
    if (axis < begins.length) {
      const step = steps[axis];
      if (step < 1) throw new PlayerError("an operator STRIDED_SLICE goes backwards: not known here");
      if (option(call, 4) & bit) chosen = [wrap(begins[axis])];
      else {
        const begin = option(call, 0) & bit ? 0 : Math.max(0, wrap(begins[axis]));
        const end = option(call, 1) & bit ? n : Math.min(n, wrap(ends[axis]));
        chosen = chosen.filter((i) => i >= begin && i < end && (i - begin) % step === 0);
      }
    }
    if (!(axis < begins.length && option(call, 4) & bit)) rest.push(chosen.length);
    places = places.flatMap((place) => chosen.map((i) => place * n + i));
  }
  require(call, rest);
  const out = call.outputs[0].values;
  return () => {
    for (let i = 0; i < out.length; i++) out[i] = values[places[i]];
  };
}

function reshape(call) {
  const x = call.inputs[0].values, out = call.outputs[0].values;
  if (x.length !== out.length) throw new PlayerError("an operator RESHAPE changes how many values there are");
  return () => out.set(x);
}

function fullyConnected(call) {
  const weights = call.inputs[1], out = call.outputs[0];
  if (!weights.tensor.data && !weights.constant) {
    throw new PlayerError("an operator FULLY_CONNECTED has weights that are no constants");
  }
  if (weights.shape.length !== 2) throw new PlayerError("an operator FULLY_CONNECTED has weights that are no matrix");
  const [outputs, inputs] = weights.shape, x = call.inputs[0].values, y = out.values;
  const bias = call.inputs[2] ? call.inputs[2].values : new Float32Array(outputs);
  if (x.length % inputs || y.length !== (x.length / inputs) * outputs || bias.length !== outputs) {
    throw new PlayerError("an operator FULLY_CONNECTED does not fit its inputs");
  }
  if (!(weights.tensor.data instanceof Int8Array) || weights.constant) {
    return activated(call, 0, plainProduct(weights.values, bias, x, y, inputs));
  }
  if (!option(call, 3, "B") || ![1, outputs].includes(weights.tensor.scales.length)) {
    throw new PlayerError("an operator FULLY_CONNECTED has weights quantized in a way that is not known here");
  }
  return activated(call, 0, hybridProduct(weights.tensor, bias, x, y));
}

function leakyRelu(call) {
  const alpha = option(call, 0, "f");
  return unary((z, x) => {
    for (let i = 0; i < z.length; i++) z[i] = Math.max(x[i], alpha * x[i]);
  })(call);
}

const BUILDERS = {
  ABS: unary(loops.abs),
  ADD: binary(loops.add),
  CONCATENATION: concatenation,
  DIV: binary(loops.divide),
  EXP: unary(loops.exp),
  FULLY_CONNECTED: fullyConnected,
  LEAKY_RELU: leakyRelu,
  LOG: unary(loops.log),
  LOGISTIC: unary(loops.logistic),
  MAXIMUM: binary(loops.maximum, false),
  MEAN: reduce(true),
  MINIMUM: binary(loops.minimum, false),
  MUL: binary(loops.multiply),
  NEG: unary(loops.negate),
  RELU: unary(loops.relu),
  RESHAPE: reshape,
  RSQRT: unary(loops.rsqrt),
  SPLIT: split,
  SPLIT_V: (call) => parts(call, 0, axisOf(call, sizes(call, 2)[0], 0), sizes(call, 1)),
  SQUARED_DIFFERENCE: binary(loops.squaredDifference, false),
  STRIDED_SLICE: stridedSlice,
  SUB: binary(loops.subtract),
  SUM: reduce(false),
  TANH: unary(loops.tanh),
};
