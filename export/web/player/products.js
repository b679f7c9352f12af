// Matrices times columns: where most of the time of a network goes.

// Weights of float32; four rows at a time, so that each value is read once for four.
export function plainProduct(matrix, bias, x, y, inputs) {
  const outputs = bias.length;
  return () => {
    for (let v = 0, out = 0; v < x.length; v += inputs, out += outputs) {
      let o = 0;
      for (; o + 3 < outputs; o += 4) {
        let a = 0, b = 0, c = 0, d = 0;
        for (let i = 0, p = o * inputs, q = p + inputs, r = q + inputs, s = r + inputs; i < inputs; i++) {
          const value = x[v + i];
          a += matrix[p + i] * value;
          b += matrix[q + i] * value;
          c += matrix[r + i] * value;
          d += matrix[s + i] * value;
        }
        y[out + o] = a + bias[o];
        y[out + o + 1] = b + bias[o + 1];
        y[out + o + 2] = c + bias[o + 2];
        y[out + o + 3] = d + bias[o + 3];
      }
      for (; o < outputs; o++) {
        let a = 0;
        for (let i = 0; i < inputs; i++) a += matrix[o * inputs + i] * x[v + i];
        y[out + o] = a + bias[o];
      }
    }
  };
}

// 8-bit weights with activations that are quantized row by row, as XNNPACK does it: the range of a row, which 0
// belongs to, becomes -128 to 127, and 0 a whole number of it.
export function hybridProduct(tensor, bias, x, y) {
  if (!tensor.packed) tensor.packed = packed(tensor); // once for all voices
  const { packed: matrix, scales, shape: [outputs, inputs] } = tensor, f = Math.fround;
  const scale = Float32Array.from({ length: outputs }, (_, o) => scales[o % scales.length]);
  const whole = new Float64Array(inputs), sums = new Float64Array(GROUP * Math.ceil(outputs / GROUP));
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
      products(matrix, whole, sums);
      for (let o = 0; o < outputs; o++) {
        y[row * outputs + o] = f(f(sums[o] * back) * scale[o]) + bias[o];
      }
    }
  };
}

// Two rows of whole numbers travel in one number, the second `APART` times as large: one multiplication for two. Sums of
// 1024 products of -128 to 127 and -255 to 255 stay below 2^25, those of both rows below 2^52, so all of it is exact.
const APART = 2 ** 26, COLUMNS = 1024;
const GROUP = 8; // rows: four such numbers stand beside each other for each column

function packed({ data, shape: [rows, columns] }) {
  const groups = Math.ceil(rows / GROUP), numbers = new Float64Array((groups * GROUP * columns) / 2);
  let at = 0;
  for (let begin = 0; begin < columns; begin += COLUMNS) {
    for (let row = 0; row < GROUP * groups; row += GROUP) {
      for (let i = begin; i < Math.min(begin + COLUMNS, columns); i++) {
        for (let r = row; r < row + GROUP; r += 2) {
          const [one, two] = [r, r + 1].map((place) => (place < rows ? data[place * columns + i] : 0));
          numbers[at++] = one + APART * two;
        }
      }
    }
  }
  return numbers;
}

// Such a matrix times a column of whole numbers.
function products(matrix, whole, sums) {
  sums.fill(0);
  let at = 0;
  for (let begin = 0; begin < whole.length; begin += COLUMNS) {
    const end = Math.min(begin + COLUMNS, whole.length);
    for (let row = 0; row < sums.length; row += GROUP) {
      let a = 0, b = 0, c = 0, d = 0;
      for (let i = begin; i < end; i++, at += 4) {
        const x = whole[i];
        a += matrix[at] * x;
        b += matrix[at + 1] * x;
        c += matrix[at + 2] * x;
        d += matrix[at + 3] * x;
      }
      unpack(a, sums, row);
      unpack(b, sums, row + 2);
      unpack(c, sums, row + 4);
      unpack(d, sums, row + 6);
    }
  }
}

function unpack(both, sums, row) {
  const two = even(both / APART);
  sums[row] += both - APART * two;
  sums[row + 1] += two;
}

// Rounds to the nearest whole number, halves to the even one: so far above 0, numbers are 1 apart.
const FAR = 1.5 * 2 ** 52;
const even = (x) => x + FAR - FAR;
