// What voices are told of notes, frame by frame: node expression.mjs MODEL SCORE.json OUT.f64 [SOUND.f32]. SCORE has
// settings and voices, and hops and events ([hop, name, arguments]) or `song`, a MIDI file. OUT has f0 in Hz and loudness in
// dB of every voice in every frame, no numbers where a voice rests; SOUND what was heard.
import { readFile, writeFile } from "node:fs/promises";
import { readModelFile } from "../../export/web/player/model-file.js";
import { renderMidi } from "../../export/web/player/render.js";
import { Voices } from "../../export/web/player/voices.js";

const [model, score, out, sound] = process.argv.slice(2);
const { settings, voices, hops, events, song } = JSON.parse(await readFile(score, "utf8"));
const { play, process: hop } = Voices.prototype, told = [], heard = [];
Voices.prototype.play = function (voice, f0, level) {
  told.at(-1).set([f0, level], 2 * this.voices.indexOf(voice));
  return play.call(this, voice, f0, level);
};
Voices.prototype.process = function () {
  told.push(new Float64Array(2 * voices).fill(NaN));
  heard.push(hop.call(this).slice());
  return heard.at(-1);
};
try {
  const file = await readModelFile(new Uint8Array(await readFile(model)));
  if (song) renderMidi(file, new Uint8Array(await readFile(song)), settings, voices);
  else {
    const player = new Voices(file, voices);
    Object.assign(player.settings, settings);
    for (let i = 0; i < hops; i++) {
      for (const [at, name, ...given] of events) if (at === i) player[name](...given);
      player.process();
    }
  }
} catch (error) {
  console.error(`${error.constructor.name}: ${error.message}`);
  process.exit(error.constructor.name === "PlayerError" ? 1 : 2);
}
await writeFile(out, Buffer.concat(told.map(({ buffer }) => Buffer.from(buffer))));
if (sound) await writeFile(sound, Buffer.concat(heard.map(({ buffer }) => Buffer.from(buffer))));
