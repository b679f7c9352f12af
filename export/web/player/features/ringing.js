// A new note over an old one that rings on, as ddsp_edge.features.ringing tells them apart.
export const SAME = 0.03;

const FAINT = 0.6, LEFT = 0.15, OVER_OTHER = 0.05, LOUDER = 1.5, ALONE = 0.15, BELOW = 0.3, BELOW_WITHIN = 0.2;

// `found`: candidates [cost, f0, depth]; returns them, some at other costs.
export function hearOver(old, found, likeness, lagsPerSecond, longest) {
  const period = lagsPerSecond / old;
  if (period > longest) return found;
  const beside = 1 - likeness(period), notes = [];
  if (beside >= ALONE) {
    for (const [, f0, depth] of found) {
      const lag = lagsPerSecond / f0;
      if (depth >= Math.min(LOUDER * beside, FAINT) || Math.abs(f0 - old) < SAME * old || lag + period > longest) continue;
      const around = likeness(Math.abs(lag - period)) + likeness(lag + period);
      const left = Math.max(1 - (2 * (1 - depth) - around) / (2 * beside), 0);
      if (left < LEFT && left + OVER_OTHER < depth) notes.push([f0, left + OVER_OTHER, depth]);
    }
  }
  return notes.length ? found.map((candidate) => costed(candidate, notes)) : found;
}

function costed([cost, f0, depth], notes) {
  for (const [note, own, heard] of notes) {
    if (note === f0) {
      cost -= heard - own;
      continue;
    }
    const times = note / f0, whole = Math.floor(times + 0.5);
    if (whole >= 2 && Math.abs(times - whole) < 0.02 * whole) {
      cost += BELOW * Math.max(0, Math.min(1 - (own - depth) / BELOW_WITHIN, 1));
    }
  }
  return [cost, f0, depth];
}
