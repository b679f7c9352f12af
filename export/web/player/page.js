// The page: a file, knobs, keys and a meter. All sound is made on the audio thread (worklet.js).
import { PlayerError } from "./errors.js";
import { decoded, readGiven } from "./given.js";
import { Hands } from "./hands.js";
import { microphone } from "./microphone.js";
import { readModelFile } from "./model-file.js";
import { Piano } from "./piano.js";
import { checkHeard, scoreOf } from "./render.js";
import { Rendering } from "./rendering.js";
import { running } from "./spectrogram.js";
import { SETTINGS, settingsOf, Voices } from "./voices.js";

const VOICES = 8, USUAL_RATE = 48000; // Hz
const KNOBS = [ // name, what it is, from, to, step, unit
  ["transposition", "Transposition", -24, 24, 1, "semitones"],
  ["loudness_shift_db", "Loudness of playing", -30, 20, 1, "dB"],
  ["brightness", "Brightness, of an instrument that has it", -1.5, 1.5, 0.1, "octaves"],
  ["harmonic_db", "Harmonics", -60, 12, 1, "dB"],
  ["noise_db", "Noise", -60, 24, 1, "dB"],
  ["reverb", "Room", 0, 1, 0.01, ""],
  ["expression", "Expression, of an instrument that has it", 0, 1, 0.01, ""],
  ["attack_s", "Attack", 0.005, 0.5, 0.005, "s"],
  ["release_s", "Release", 0.02, 2, 0.01, "s"],
  ["voices", "Notes at once (1: legato)", 1, VOICES, 1, ""],
  ["glide_s", "Glide of legato", 0, 0.5, 0.01, "s"],
  ["vibrato_semitones", "Vibrato", 0, 1, 0.01, "semitones"],
  ["gain_db", "Gain", -40, 20, 1, "dB"],
  ["gate_db", "Gate of the microphone", -80, 0, 1, "dB"],
];
const PLACES = [..."AWSEDFTGYHUJKOLP"].map((letter) => `Key${letter}`).concat("Semicolon"); // the first is C

const $ = (id) => document.getElementById(id);
const settings = { ...SETTINGS, voices: VOICES };
let context = null, node = null, model = null, title = "", heard = null, endPicture = null, opening = null;
const turned = new Set(), tell = {}; // knobs that somebody turned; what tells a knob where it stands, by name

function say(text, error = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", error);
}

const send = (message) => node?.port.postMessage(message);
const hands = new Hands((message) => (context?.resume(), send(message)), () => piano.draw());
const piano = new Piano($("keys"), hands, known, (octaves) => { $("octaves").textContent = octaves; });
const rendering = new Rendering(say);

// Whether a key plays what the instrument was made for.
function known(note) {
  const { low, high } = model?.card.f0_hz_range ?? { low: 0, high: Infinity };
  const at = 69 + 12 * Math.log2(low / 440), end = 69 + 12 * Math.log2(high / 440), played = note + settings.transposition;
  return played > at - 0.5 && played < end + 0.5;
}

// `?instrument=ADDRESS` opens a file from where the page is; the page's policy keeps it to its own server.
async function openNamed(address) {
  const name = address.split("/").pop();
  try {
    say(`Loading ${name} ...`);
    const answer = await fetch(address);
    if (!answer.ok) throw new PlayerError(`the server says ${answer.status}`);
    take([new File([await answer.blob()], name)]);
  } catch (error) {
    say(`${name} cannot be played: ${error instanceof PlayerError ? error.message : "it cannot be fetched"}`, true);
  }
}

// Files are opened one after the other.
function take(files) {
  if (!files.length) return;
  const aside = files.length > 1 ? ` Of ${files.length} files only the first was taken.` : "";
  opening = (async () => (await opening, open(files[0], aside)))();
}

async function open(file, aside) {
  try {
    say(`Opening ${file.name} ...`);
    const { kind, bytes } = await readGiven(file);
    if (kind === "instrument") await change(file, await readModelFile(bytes), aside);
    else await render(file, kind, bytes, aside);
  } catch (error) {
    const words = error instanceof PlayerError ? error.message : `${error.name}: ${error.message}`;
    say(`${file.name} cannot be played: ${words}${aside && `.${aside}`}`, true);
  }
}

// The instrument that was open goes on until the other one is ready.
async function change(file, read, aside) {
  new Voices(read, 1); // tells what is wrong with it
  await start(read);
  adopt(settingsOf(read));
  send({ type: "settings", settings });
  model = read;
  title = model.card.name || file.name;
  show(file, model.card);
  say(`${title} is ready: play.${aside}`);
}

// On the instrument that is open, with the knobs as they are.
async function render(file, kind, bytes, aside) {
  const given = kind === "recording"
    ? { samples: await decoded(file, bytes, model?.card.sample_rate ?? USUAL_RATE) } : { midi: bytes };
  if (!model) throw new PlayerError("choose an instrument first");
  if (given.midi) scoreOf(given.midi);
  else checkHeard(given.samples, model.card);
  rendering.begin(file.name, title, { file: model, settings: { ...settings, gate: false }, ...given });
  say(`Playing ${file.name} into a file ...${aside}`);
}

// The audio thread for a file; what there was before ends when it is ready, and plays on if it cannot be.
async function start(file) {
  const next = new AudioContext({ sampleRate: file.card.sample_rate, latencyHint: "interactive" });
  let player;
  try {
    if (!next.audioWorklet) throw new PlayerError("browsers play pages from https:// or from this machine only");
    await next.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
    player = new AudioWorkletNode(next, "ddsp-player", {
      channelCount: 1, channelCountMode: "explicit", outputChannelCount: [2], processorOptions: { file, voices: VOICES },
    });
    await new Promise((resolve, reject) => {
      player.onprocessorerror = () => reject(new PlayerError("its network or its processors are not played here"));
      player.port.onmessage = ({ data }) => {
        if ("microphone" in data) tellMicrophone(data);
        else $("meter").value = data.level;
        resolve();
      };
      setTimeout(resolve, 300); // a context that waits for a gesture sends nothing yet
    });
  } catch (error) {
    await next.close();
    throw error;
  }
  heard?.end();
  heard = null;
  endPicture?.();
  hands.liftAll();
  await context?.close();
  [context, node] = [next, player];
  node.connect(context.destination);
  endPicture = running($("spectrogram"), context, node);
  tellMicrophone({ microphone: false });
}

// Sings through the instrument, or plays notes again.
async function sing() {
  $("microphone").disabled = true;
  try {
    if (heard) {
      heard.end();
      heard = null;
    } else {
      heard = await microphone(context);
      heard.source.connect(node);
      await context.resume();
    }
    send({ type: "microphone", on: heard !== null });
  } catch (error) {
    say(`The microphone cannot be used: ${error.message}`, true);
  }
  $("microphone").disabled = false;
}

function tellMicrophone({ microphone: on, latency }) {
  $("microphone").setAttribute("aria-pressed", String(on));
  $("microphone").textContent = on ? "End the microphone" : "Sing: microphone";
  if (on) hands.liftAll();
  hands.silent = $("keys").inert = on;
  const own = Math.round(1000 * latency), page = Math.round(1000 * (context.baseLatency + (context.outputLatency || 0)));
  $("latency").textContent = on
    ? `${own} ms of the instrument, ${page} ms of the browser, and what the microphone takes. Wear headphones. `
      + "Keys are silent meanwhile." : "";
}

function show(file, card) {
  const hz = (f) => `${Math.round(f)} Hz`;
  const { low, high } = card.f0_hz_range ?? {};
  const rows = [
    ["file", `${file.name}, ${Math.round(file.size / 1000)} kB`],
    ["sample rate", `${card.sample_rate} Hz, hop ${card.hop}`],
    ["pitch", low ? `${hz(low)} to ${hz(high)}; other keys are hatched` : "not told"],
    ["latency", `${Math.round(1000 * (context.baseLatency + card.hop / card.sample_rate))} ms and that of the device`],
  ];
  $("about").replaceChildren(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  $("desk").hidden = false;
  piano.settle();
}

function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function knobs() {
  for (const [name, label, min, max, step, unit] of KNOBS) {
    const box = element("label"), value = element("span", "", { "aria-hidden": true });
    const input = element("input", "", { type: "range", min, max, step, value: settings[name], name, "aria-label": label });
    tell[name] = () => {
      input.value = settings[name];
      value.textContent = `${input.value} ${unit}`;
      input.setAttribute("aria-valuetext", value.textContent);
    };
    input.addEventListener("input", () => {
      settings[name] = Number(input.value);
      turned.add(name);
      tell[name]();
      send({ type: "settings", settings: { [name]: settings[name] } });
      if (name === "transposition") piano.draw();
    });
    tell[name]();
    box.append(element("span", label), value, input);
    $("knobs").append(box);
  }
}

// Knobs that nobody turned stand where an instrument has them.
function adopt(usual) {
  for (const [name] of KNOBS) {
    if (name === "voices" || turned.has(name)) continue;
    settings[name] = usual[name];
    tell[name]();
  }
}

// By their places on a US keyboard, whatever stands on them.
function computerKeys() {
  addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = PLACES.indexOf(event.code);
    if (event.code === "KeyZ" || event.code === "KeyX") piano.move(event.code === "KeyX" ? 1 : -1);
    else if (place >= 0) hands.strike(event.code, piano.low + place);
  });
  addEventListener("keyup", ({ code, key }) => (key === "Meta" ? liftKeys() : hands.lift(code))); // under it, none is told of
  addEventListener("blur", liftKeys);
}

const liftKeys = () => hands.liftAll((who) => !who.startsWith("midi"));

async function midi() {
  if (!navigator.requestMIDIAccess) {
    $("midi").textContent = "with no MIDI keyboard, for this browser has no Web MIDI";
    return;
  }
  try {
    const access = await navigator.requestMIDIAccess();
    const listen = () => access.inputs.forEach((input) => (input.onmidimessage = ({ data }) => message(...data)));
    access.onstatechange = listen;
    listen();
  } catch {
    // Not allowed: the other keys are there.
  }
}

function message(status, first, second) {
  const kind = status >> 4, channel = status & 15, who = `midi ${channel} ${first}`;
  if (kind === 9 && second > 0) hands.strike(who, first, second, channel);
  else if (kind === 8 || kind === 9) hands.lift(who);
  else if (kind === 11 && first === 64) send({ type: "sustain", down: second >= 64 });
  else if (kind === 11 && (first === 120 || first === 123)) {
    hands.liftAll();
    send({ type: "silence" });
  } else if (kind === 14) send({ type: "bend", semitones: (2 * (first + 128 * second - 8192)) / 8192 });
}

$("served").remove(); // what tells that no script runs
$("microphone").addEventListener("click", sing);
$("file").addEventListener("change", ({ target }) => {
  take([...target.files]);
  target.value = ""; // so that the same file can be chosen again, also after a reload, over which Firefox keeps it
});
addEventListener("dragover", (event) => (event.preventDefault(), document.body.classList.add("over")));
addEventListener("dragleave", () => document.body.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  take([...event.dataTransfer.files]);
});
$("lower").addEventListener("click", () => piano.move(-1));
$("higher").addEventListener("click", () => piano.move(1));
knobs();
computerKeys();
midi();
const named = new URLSearchParams(location.search).get("instrument");
if (named) openNamed(named);
