// Plays notes on voices: node keys.mjs MODEL SCORE.json OUT.f32. SCORE has hops, settings and events: [hop, name,
// arguments]; prints the hops in which nothing sounded.
import { readFile, writeFile } from "node:fs/promises";
import { readModelFile } from "../../export/web/player/model-file.js";
import { Voices } from "../../export/web/player/voices.js";

const [model, score, out] = process.argv.slice(2);
const { hops, settings, events, voices } = JSON.parse(await readFile(score, "utf8"));
const player = new Voices(await readModelFile(new Uint8Array(await readFile(model))), voices ?? 4);
Object.assign(player.settings, settings);
const { hop } = player.spec, sound = new Float32Array(hops * hop);
for (let i = 0; i < hops; i++) {
  for (const [at, name, ...given] of events) if (at === i) player[name](...given);
  sound.set(player.process(), i * hop);
}
await writeFile(out, Buffer.from(sound.buffer));
