// The operators of our models, each built once for the shapes it has: functions that fill their output.
import { PlayerError } from "./errors.js";
import { size } from "./tflite.js";

// Weights that are stored in fewer bits, as float32: what an operator DEQUANTIZE gives.
export function dequantized(tensor) {
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

const unary = (f) => (call) => {
  require(call, call.inputs[0].shape);
  const x = call.inputs[0].values, out = call.outputs[0].values;
  return () => {
    for (let i = 0; i < out.length; i++) out[i] = f(x[i]);
  };
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

const binary = (f, fused = true) => (call) => {
  const [a, b] = call.inputs, out = call.outputs[0], shape = out.shape;
  const common = Array.from({ length: Math.max(a.shape.length, b.shape.length) }, (_, i) => {
    const [x, y] = [a, b].map((each) => each.shape.at(-1 - i) ?? 1);
    if (x !== y && x !== 1 && y !== 1) throw new PlayerError(`an operator ${call.name} has inputs that do not fit`);
    return Math.max(x, y);
  }).reverse();
  require(call, common);
  const ofA = stretched(a.shape, shape), ofB = stretched(b.shape, shape);
  const x = a.values, y = b.values, z = out.values;
  const run = () => {
    for (let i = 0; i < z.length; i++) z[i] = f(x[ofA[i]], y[ofB[i]]);
  };
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

// Copies runs of an input: [from, to, length] each.
const copies = (source, target, runs) => () => {
  for (const [from, to, length] of runs) target.set(source.subarray(from, from + length), to);
};

function concatenation(call) {
  const axis = axisOf(call, option(call, 0), 0), out = call.outputs[0];
  const total = call.inputs.reduce((sum, input) => sum + input.shape[axis], 0);
  require(call, call.inputs[0].shape.map((n, i) => (i === axis ? total : n)));
  const outer = size(out.shape.slice(0, axis)), inner = size(out.shape.slice(axis + 1));
  let at = 0;
  const parts = call.inputs.map((input) => {
    const length = input.shape[axis] * inner;
    if (input.values.length !== outer * length) throw new PlayerError("an operator CONCATENATION does not fit");
    const start = at;
    at += length;
    return copies(input.values, out.values, Array.from({ length: outer }, (_, i) => [
      i * length, i * total * inner + start, length]));
  });
  return activated(call, 1, () => parts.forEach((part) => part()));
}

function parts(call, place, axis, lengths) {
  const input = call.inputs[place], all = input.shape[axis];
  if (lengths.length !== call.outputs.length || lengths.reduce((a, b) => a + b, 0) !== all) {
    throw new PlayerError(`an operator ${call.name} has parts that are not the whole`);
  }
  const outer = size(input.shape.slice(0, axis)), inner = size(input.shape.slice(axis + 1));
  let begin = 0;
  const runs = lengths.map((length, i) => {
    require(call, input.shape.map((n, k) => (k === axis ? length : n)), i);
    const start = begin;
    begin += length;
    return copies(input.values, call.outputs[i].values, Array.from({ length: outer }, (_, k) => [
      (k * all + start) * inner, k * length * inner, length * inner]));
  });
  return () => runs.forEach((run) => run());
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
  const hybrid = weights.tensor.data instanceof Int8Array && !weights.constant;
  const product = hybrid ? hybridProduct(call, weights, bias, x, y) : plainProduct(weights.values, bias, x, y, inputs);
  return activated(call, 0, product);
}

function plainProduct(matrix, bias, x, y, inputs) {
  const outputs = bias.length;
  return () => {
    for (let row = 0; row * inputs < x.length; row++) {
      for (let o = 0; o < outputs; o++) {
        let sum = 0;
        for (let i = 0, w = o * inputs, v = row * inputs; i < inputs; i++) sum += matrix[w + i] * x[v + i];
        y[row * outputs + o] = sum + bias[o];
      }
    }
  };
}

// 8-bit weights with activations that are quantized row by row, as XNNPACK does it: the range of a row, which 0
// belongs to, becomes -128 to 127, and 0 a whole number of it.
function hybridProduct(call, weights, bias, x, y) {
  const matrix = weights.tensor.data, { scales } = weights.tensor, [outputs, inputs] = weights.shape;
  if (!option(call, 3, "B") || ![1, outputs].includes(scales.length)) {
    throw new PlayerError("an operator FULLY_CONNECTED has weights quantized in a way that is not known here");
  }
  const whole = new Int32Array(inputs), sums = new Int32Array(outputs), f = Math.fround;
  return () => {
    for (let row = 0; row * inputs < x.length; row++) {
      const v = row * inputs;
      let least = 0, most = 0;
      for (let i = 0; i < inputs; i++) {
        if (x[v + i] < least) least = x[v + i];
        if (x[v + i] > most) most = x[v + i];
      }
      const width = f(most - least), steps = width > 0 ? f(255 / width) : 1;
      const fromLeast = f(-128 + f(least * steps)), fromMost = f(127 + f(most * steps));
      const exact = f(fromLeast + fromMost) > 0 ? f(-128 - f(least * steps)) : f(127 - f(most * steps));
      const zero = even(Math.min(Math.max(exact, -128), 127));
      for (let i = 0; i < inputs; i++) {
        whole[i] = Math.min(Math.max(even(f(x[v + i] * steps)), -128 - zero), 127 - zero);
      }
      const back = f(1 / steps);
      products(matrix, whole, inputs, outputs, sums);
      for (let o = 0; o < outputs; o++) {
        y[row * outputs + o] = f(f(sums[o] * back) * scales[o % scales.length]) + bias[o];
      }
    }
  };
}

// A matrix of whole numbers times a column of them; four rows at a time, so that each number is read once for four.
function products(matrix, whole, count, rows, sums) {
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    let a = 0, b = 0, c = 0, d = 0;
    for (let i = 0, p = row * count, q = p + count, r = q + count, s = r + count; i < count; i++) {
      const x = whole[i];
      a = (a + Math.imul(matrix[p + i], x)) | 0;
      b = (b + Math.imul(matrix[q + i], x)) | 0;
      c = (c + Math.imul(matrix[r + i], x)) | 0;
      d = (d + Math.imul(matrix[s + i], x)) | 0;
    }
    sums[row] = a;
    sums[row + 1] = b;
    sums[row + 2] = c;
    sums[row + 3] = d;
  }
  for (; row < rows; row++) {
    let a = 0;
    for (let i = 0; i < count; i++) a = (a + Math.imul(matrix[row * count + i], whole[i])) | 0;
    sums[row] = a;
  }
}

// Rounds to the nearest whole number, halves to the even one.
function even(x) {
  const low = Math.floor(x), rest = x - low;
  if (rest !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

function leakyRelu(call) {
  const alpha = call.options ? call.options.number(0, "f") : 0;
  return unary((x) => Math.max(x, alpha * x))(call);
}

const BUILDERS = {
  ABS: unary(Math.abs),
  ADD: binary((x, y) => x + y),
  CONCATENATION: concatenation,
  DIV: binary((x, y) => x / y),
  EXP: unary(Math.exp),
  FULLY_CONNECTED: fullyConnected,
  LEAKY_RELU: leakyRelu,
  LOG: unary(Math.log),
  LOGISTIC: unary((x) => 1 / (1 + Math.exp(-x))),
  MAXIMUM: binary(Math.max, false),
  MEAN: reduce(true),
  MINIMUM: binary(Math.min, false),
  MUL: binary((x, y) => x * y),
  NEG: unary((x) => -x),
  RELU: unary((x) => Math.max(x, 0)),
  RESHAPE: reshape,
  RSQRT: unary((x) => 1 / Math.sqrt(x)),
  SPLIT: split,
  SPLIT_V: (call) => parts(call, 0, axisOf(call, sizes(call, 2)[0], 0), sizes(call, 1)),
  SQUARED_DIFFERENCE: binary((x, y) => Math.fround(x - y) ** 2, false),
  STRIDED_SLICE: stridedSlice,
  SUB: binary((x, y) => x - y),
  SUM: reduce(false),
  TANH: unary(Math.tanh),
};
