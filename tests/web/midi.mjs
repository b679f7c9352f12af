// Prints the events of a MIDI file as JSON, or renders it: node midi.mjs SONG [MODEL OUT.wav].
import { readFile, writeFile } from "node:fs/promises";
import { readMidi } from "../../export/web/player/midi.js";
import { readModelFile } from "../../export/web/player/model-file.js";
import { renderMidi } from "../../export/web/player/render.js";

const [song, model, out] = process.argv.slice(2);
const bytes = new Uint8Array(await readFile(song));
try {
  if (model) {
    const file = await readModelFile(new Uint8Array(await readFile(model)));
    await writeFile(out, renderMidi(file, bytes));
  } else console.log(JSON.stringify(readMidi(bytes)));
} catch (error) {
  console.error(`${error.constructor.name}: ${error.message}`);
  process.exit(error.constructor.name === "PlayerError" ? 1 : 2);
}
