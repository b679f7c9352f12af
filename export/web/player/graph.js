// A signature of a model, ready to run: every operator knows its arrays, nothing is allocated while it plays.
import { PlayerError } from "./errors.js";
import { build, dequantized } from "./operators.js";
import { size } from "./tflite.js";

export class Graph {
  // What readGraph gave; several may be made of it, and share its weights.
  constructor({ tensors, operators, inputs, outputs }) {
    const ports = new Map();
    for (const [number, tensor] of Object.entries(tensors)) {
      const plain = tensor.data instanceof Float32Array ? tensor.data : null;
      const values = plain ?? (tensor.data ? null : new Float32Array(size(tensor.shape)));
      ports.set(Number(number), { shape: tensor.shape, values, tensor, constant: plain !== null });
    }
    const ready = new Set(Object.values(inputs));
    for (const [number, port] of ports) if (port.tensor.data) ready.add(number);
    this.program = [];
    for (const operator of operators) {
      const taken = operator.inputs.filter((number) => number !== -1);
      if (taken.some((number) => !ready.has(number))) {
        throw new PlayerError(`an operator ${operator.name} takes what is not computed yet`);
      }
      operator.outputs.forEach((number) => ready.add(number));
      const call = {
        name: operator.name,
        options: operator.options,
        inputs: operator.inputs.map((number) => (number === -1 ? null : ports.get(number))),
        outputs: operator.outputs.map((number) => ports.get(number)),
      };
      if (operator.name === "DEQUANTIZE") {
        call.outputs[0].values = dequantized(call.inputs[0].tensor);
        call.outputs[0].constant = true;
      } else {
        this.program.push(build(call));
      }
    }
    for (const [name, number] of Object.entries(outputs)) {
      if (!ready.has(number)) throw new PlayerError(`nothing computes its output '${name}'`);
    }
    const named = (numbers) => Object.fromEntries(Object.entries(numbers).map(([n, i]) => [n, ports.get(i).values]));
    this.inputs = named(inputs); // Float32Arrays to be filled, by name
    this.outputs = named(outputs); // Float32Arrays that were computed, by name
  }

  run() {
    for (const step of this.program) step();
  }
}
