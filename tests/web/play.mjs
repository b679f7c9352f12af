// Plays features on an instrument: node play.mjs MODEL IN.json OUT.f32. IN has f0_hz, loudness_db, and the noise of
// nodes by name; without an OUT it only opens the file.
import { readFile, writeFile } from "node:fs/promises";
import { Instrument } from "../../export/web/player/instrument.js";

const [model, given, out] = process.argv.slice(2);
try {
  const instrument = await Instrument.open(new Uint8Array(await readFile(model)));
  const { f0_hz: f0, loudness_db: loudness, noise } = JSON.parse(await readFile(given, "utf8"));
  const { hop } = instrument.spec, sound = new Float32Array(f0.length * hop);
  for (let i = 0; i < f0.length; i++) {
    const white = Object.fromEntries(Object.entries(noise).map(([name, values]) => [
      `${name}_noise`, Float32Array.from(values.slice(i * hop, (i + 1) * hop))]));
    sound.set(instrument.process(f0[i], loudness[i], white), i * hop);
  }
  if (out) await writeFile(out, Buffer.from(sound.buffer));
} catch (error) {
  console.error(`${error.constructor.name}: ${error.message}`);
  process.exit(error.constructor.name === "PlayerError" ? 1 : 2);
}
