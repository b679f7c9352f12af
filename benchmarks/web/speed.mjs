// What the player in JavaScript costs: node benchmarks/web/speed.mjs INSTRUMENT.tflite ...
// CPU time of a hop with 1, 4 and 8 voices, the best of five rounds, and how many bytes the page is when packed.
import { readFile, readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { readModelFile } from "../../export/web/player/model-file.js";
import { Voices } from "../../export/web/player/voices.js";

const ROUNDS = 5, SECONDS = 2, PLAYER = new URL("../../export/web/player/", import.meta.url);

async function bytes(folder) {
  let plain = 0, packed = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      const inside = await bytes(new URL(`${entry.name}/`, folder));
      plain += inside.plain;
      packed += inside.packed;
    } else {
      const data = await readFile(new URL(entry.name, folder));
      plain += data.length;
      packed += gzipSync(data, { level: 9 }).length;
    }
  }
  return { plain, packed };
}

for (const path of process.argv.slice(2)) {
  const file = await readModelFile(new Uint8Array(await readFile(path)));
  console.log(`${path}: ${file.card.sample_rate} Hz, hop ${file.card.hop}, ${file.card.quantization}`);
  for (const count of [1, 4, 8]) {
    const player = new Voices(file, count), hops = Math.round((SECONDS * file.card.sample_rate) / file.card.hop);
    for (let i = 0; i < count; i++) player.noteOn(55 + 4 * i, 90);
    for (let i = 0; i < hops; i++) player.process();
    let best = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const began = process.cpuUsage();
      for (let i = 0; i < hops; i++) player.process();
      const { user, system } = process.cpuUsage(began);
      best = Math.min(best, (user + system) / hops);
    }
    const hopUs = (1e6 * file.card.hop) / file.card.sample_rate;
    console.log(`  ${count} voices: ${best.toFixed(0)} us a hop, ${(hopUs / best).toFixed(1)} x real time`);
  }
}
const { plain, packed } = await bytes(PLAYER);
console.log(`the page: ${(plain / 1000).toFixed(0)} kB, ${(packed / 1000).toFixed(0)} kB packed`);
