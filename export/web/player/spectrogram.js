// A spectrum that runs: what was heard last stands at the right. Rows lie evenly on a scale of octaves.
const LOW_HZ = 60, FLOOR_DB = -100, SPAN_DB = 80;

const shade = (share) => `hsl(${270 - 230 * share} ${40 + 50 * share}% ${4 + 76 * share}%)`;
const SHADES = Array.from({ length: 64 }, (_, i) => shade(i / 63));

// Draws what comes out of `node` on `canvas` until it is called; returns what ends it.
export function running(canvas, context, node) {
  const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
  node.connect(analyser);
  const bins = new Float32Array(analyser.frequencyBinCount), paper = canvas.getContext("2d", { alpha: false });
  const { width, height } = canvas, high = context.sampleRate / 2;
  const rows = Array.from({ length: height + 1 }, (_, y) =>
    Math.round((LOW_HZ * (high / LOW_HZ) ** (y / height) * bins.length) / high));
  let ended = false;
  const draw = () => {
    if (ended) return;
    requestAnimationFrame(draw);
    if (context.state !== "running") return;
    analyser.getFloatFrequencyData(bins);
    paper.drawImage(canvas, -1, 0);
    for (let y = 0; y < height; y++) {
      let db = FLOOR_DB;
      for (let bin = rows[y]; bin < Math.max(rows[y + 1], rows[y] + 1) && bin < bins.length; bin++) db = Math.max(db, bins[bin]);
      const share = Math.min(Math.max((db - FLOOR_DB) / SPAN_DB, 0), 1);
      paper.fillStyle = SHADES[Math.round(63 * share)];
      paper.fillRect(width - 1, height - 1 - y, 1, 1);
    }
  };
  draw();
  return () => {
    ended = true;
    node.disconnect(analyser);
  };
}
