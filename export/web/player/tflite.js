// What a TensorFlow Lite model says: the tensors and operators of one of its signatures. The schema is
// TensorFlow's schema.fbs; fields go by their number there.
import { PlayerError } from "./errors.js";
import { Table } from "./flatbuffer.js";

const FLOAT32 = 0, FLOAT16 = 1, INT32 = 2, INT64 = 4, INT8 = 9; // of the schema's TensorType
const BYTES = { [FLOAT32]: 4, [FLOAT16]: 2, [INT32]: 4, [INT64]: 8, [INT8]: 1 };
const MOST_VALUES = 2 ** 24; // in all constants that are used, and in all tensors that are computed
const MOST_TENSORS = 20000, MOST_OPERATORS = 10000, MOST_BUFFERS = 100000;
const INTEGERS = "it computes in integers (int8-full); export it with --quantize int8";

export const OPERATORS = {
  0: "ADD", 2: "CONCATENATION", 6: "DEQUANTIZE", 9: "FULLY_CONNECTED", 14: "LOGISTIC", 18: "MUL", 19: "RELU",
  22: "RESHAPE", 28: "TANH", 40: "MEAN", 41: "SUB", 42: "DIV", 45: "STRIDED_SLICE", 47: "EXP", 49: "SPLIT",
  55: "MAXIMUM", 57: "MINIMUM", 59: "NEG", 73: "LOG", 74: "SUM", 76: "RSQRT", 98: "LEAKY_RELU",
  99: "SQUARED_DIFFERENCE", 101: "ABS", 102: "SPLIT_V",
};

export const isModel = (bytes) => String.fromCharCode(...bytes.subarray(4, 8)) === "TFL3";

export function readGraph(bytes, signature) {
  if (!isModel(bytes)) throw new PlayerError("it is not a TensorFlow Lite file");
  const root = Table.root(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const definition = root.tables(7, 100).find((table) => table.text(2) === signature);
  if (!definition) throw new PlayerError(`it has no signature '${signature}'`);
  const graphs = root.tables(2, 100);
  const graph = graphs[definition.number(4, "I")];
  if (!graph) throw new PlayerError(`its signature '${signature}' is a graph that it does not have`);
  const names = root.tables(1, MOST_OPERATORS).map((code) => {
    const number = Math.max(code.number(0, "b"), code.number(3, "i"));
    return OPERATORS[number] ?? `${number} of TensorFlow Lite's schema`;
  });
  const operators = graph.tables(3, MOST_OPERATORS).map((table) => ({
    name: names[table.number(0, "I")],
    inputs: table.numbers(1, "i"),
    outputs: table.numbers(2, "i"),
    options: table.table(4),
  }));
  const inputs = ports(definition, 0), outputs = ports(definition, 1);
  const used = new Set([...Object.values(inputs), ...Object.values(outputs)]);
  for (const operator of operators) for (const n of [...operator.inputs, ...operator.outputs]) used.add(n);
  used.delete(-1);
  const tables = graph.tables(0, MOST_TENSORS), buffers = root.tables(4, MOST_BUFFERS), tensors = {};
  let values = 0;
  for (const n of used) {
    if (!(n >= 0 && n < tables.length)) throw new PlayerError(`it uses tensor ${n} of ${tables.length}`);
    tensors[n] = tensor(tables[n], n, buffers);
    values += size(tensors[n].shape);
    if (values > MOST_VALUES) throw new PlayerError(`it has more than ${MOST_VALUES} weights and values`);
  }
  return { tensors, operators, inputs, outputs };
}

export function size(shape) {
  return shape.reduce((product, n) => product * n, 1);
}

function ports(definition, field) {
  return Object.fromEntries(definition.tables(field, 1000).map((port) => [port.text(0), port.number(1, "I")]));
}

function tensor(table, n, buffers) {
  const shape = table.numbers(0, "i"), type = table.number(1, "b");
  if (shape.length > 8 || shape.some((length) => length < 1) || !(size(shape) <= MOST_VALUES)) {
    throw new PlayerError(`tensor ${n} has the impossible shape [${shape.slice(0, 9)}]`);
  }
  const buffer = buffers[table.number(2, "I")];
  if (!buffer) throw new PlayerError(`tensor ${n} is in a buffer that is not there`);
  const stored = buffer.bytes(0), quantization = table.table(4);
  const scales = quantization ? quantization.numbers(2, "f") : [];
  if (quantization && quantization.anyOf64(3)) throw new PlayerError(INTEGERS);
  if (!stored.length) {
    if (type !== FLOAT32) throw new PlayerError(INTEGERS);
    return { shape, data: null, scales, whole: false };
  }
  if (!(type in BYTES)) throw new PlayerError(`tensor ${n} is a constant of type ${type}, which is not read here`);
  if (stored.length !== size(shape) * BYTES[type]) {
    throw new PlayerError(`tensor ${n} has ${stored.length} bytes, not what [${shape}] needs`);
  }
  return { shape, data: numbers(stored, type, size(shape)), scales, whole: type !== FLOAT32 };
}

// A copy, which is aligned: Float32Array for numbers, Int32Array for sizes, Int8Array for weights.
function numbers(stored, type, count) {
  const copy = stored.slice();
  if (type === FLOAT32) return new Float32Array(copy.buffer);
  if (type === INT8) return new Int8Array(copy.buffer);
  if (type === INT32) return new Int32Array(copy.buffer);
  const view = new DataView(copy.buffer);
  if (type === INT64) return Int32Array.from({ length: count }, (_, i) => view.getInt32(8 * i, true));
  return Float32Array.from({ length: count }, (_, i) => half(view.getUint16(2 * i, true)));
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, rest = bits & 1023;
  if (exponent === 0) return sign * rest * 2 ** -24;
  if (exponent === 31) return rest ? NaN : sign * Infinity;
  return sign * (1 + rest / 1024) * 2 ** (exponent - 15);
}
