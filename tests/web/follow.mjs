// Pitch and loudness of samples: node follow.mjs MODEL IN.f32 OUT.f32 LATENCY BLOCK. OUT has f0 and loudness of each
// frame; with a sixth word, `effect`, it has the sound of the live effect, with `render` that of a recording, with `noisy` as the page has it.
import { readFile, writeFile } from "node:fs/promises";
import { Effect } from "../../export/web/player/effect.js";
import { Follower, LATENCIES } from "../../export/web/player/features/follower.js";
import { readModelFile } from "../../export/web/player/model-file.js";
import { renderRecording } from "../../export/web/player/render.js";
import { Voices } from "../../export/web/player/voices.js";

const [model, given, out, latency, block, what] = process.argv.slice(2);
const file = await readModelFile(new Uint8Array(await readFile(model)));
const bytes = await readFile(given), samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const found = [];
if (what === "render" || what === "noisy") {
  // The samples of a WAV of 16 bits.
  const sound = renderRecording(file, samples, what === "noisy" ? {} : { noise_db: -200 });
  found.push(...new Int16Array(sound.buffer, 44));
} else if (what === "effect") {
  const voices = new Voices(file, 1), effect = new Effect(voices, LATENCIES[latency]), heard = new Float32Array(Number(block));
  Object.assign(voices.settings, { gate: false, noise_db: -200 });
  for (let at = 0; at + heard.length <= samples.length; at += heard.length) {
    effect.process(samples.subarray(at, at + heard.length), heard);
    found.push(...heard);
  }
  console.log(effect.latency);
} else {
  const follower = new Follower(file.card, LATENCIES[latency]), began = process.cpuUsage();
  for (let at = 0; at < samples.length; at += Number(block)) {
    follower.push(samples.subarray(at, at + Number(block)), (f0, loudness) => found.push(f0, loudness));
  }
  const { user } = process.cpuUsage(began);
  console.log(follower.latency, user / (found.length / 2));
}
await writeFile(out, Buffer.from(Float32Array.from(found).buffer));
