// Raised cosine from 0 towards 1 over a hop.
export function crossfade(hop) {
  return Float64Array.from({ length: hop }, (_, n) => 0.5 * (1 - Math.cos((Math.PI * n) / hop)));
}
