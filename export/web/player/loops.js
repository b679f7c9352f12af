// Operators that work value by value. Each has a loop of its own, so that it is compiled for the one thing it computes:
// in a loop shared by all of them, every value would be the result of a call.
// Fills `z` with what becomes of `x`, or of `x` at the places `a` and `y` at the places `b`.
export function abs(z, x) {
  for (let i = 0; i < z.length; i++) z[i] = Math.abs(x[i]);
}

export function exp(z, x) {
  for (let i = 0; i < z.length; i++) z[i] = Math.exp(x[i]);
}

export function log(z, x) {
  for (let i = 0; i < z.length; i++) z[i] = Math.log(x[i]);
}

export function logistic(z, x) {
  for (let i = 0; i < z.length; i++) z[i] = 1 / (1 + Math.exp(-x[i]));
}

export function negate(z, x) {
  for (let i = 0; i < z.length; i++) z[i] = -x[i];
}

export function relu(z, x) {
  for (let i = 0; i < z.length; i++) z[i] = Math.max(x[i], 0);
}

export function rsqrt(z, x) {
  for (let i = 0; i < z.length; i++) z[i] = 1 / Math.sqrt(x[i]);
}

export function tanh(z, x) {
  for (let i = 0; i < z.length; i++) z[i] = Math.tanh(x[i]);
}

export function add(z, x, a, y, b) {
  for (let i = 0; i < z.length; i++) z[i] = x[a[i]] + y[b[i]];
}

export function divide(z, x, a, y, b) {
  for (let i = 0; i < z.length; i++) z[i] = x[a[i]] / y[b[i]];
}

export function maximum(z, x, a, y, b) {
  for (let i = 0; i < z.length; i++) z[i] = Math.max(x[a[i]], y[b[i]]);
}

export function minimum(z, x, a, y, b) {
  for (let i = 0; i < z.length; i++) z[i] = Math.min(x[a[i]], y[b[i]]);
}

export function multiply(z, x, a, y, b) {
  for (let i = 0; i < z.length; i++) z[i] = x[a[i]] * y[b[i]];
}

export function squaredDifference(z, x, a, y, b) {
  for (let i = 0; i < z.length; i++) z[i] = Math.fround(x[a[i]] - y[b[i]]) ** 2;
}

export function subtract(z, x, a, y, b) {
  for (let i = 0; i < z.length; i++) z[i] = x[a[i]] - y[b[i]];
}
