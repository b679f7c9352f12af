// The page: a file, knobs, keys and a meter. All sound is made on the audio thread (worklet.js).
import { PlayerError } from "./errors.js";
import { microphone } from "./microphone.js";
import { readModelFile } from "./model-file.js";
import { running } from "./spectrogram.js";
import { SETTINGS, settingsOf } from "./voices.js";

const VOICES = 8, MOST_BYTES = 64 << 20, LOWEST = 48, HIGHEST = 84;
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
const PIANO = "awsedftgyhujkolp;"; // by the characters of a US layout: a is C

const $ = (id) => document.getElementById(id);
const settings = { ...SETTINGS, voices: VOICES };
let context = null, node = null, octave = 0, model = null, worker = null, heard = null, endPicture = null;
const held = new Map(); // of the computer's keys: note that each began
const turned = new Set(), tell = {}; // knobs that somebody turned; what tells a knob where it stands, by name

function say(text, error = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", error);
}

const send = (message) => node?.port.postMessage(message);
const press = (note, velocity = 96, channel = 0) =>
  (context?.resume(), send({ type: "on", note, velocity, channel }), light(note, true));
const release = (note, channel = 0) => (send({ type: "off", note, channel }), light(note, false));
const light = (note, down) => $("keys").querySelector(`[data-note="${note}"]`)?.classList.toggle("down", down);

// `?instrument=ADDRESS` opens a file from where the page is; the page's policy keeps it to its own server.
async function openNamed(address) {
  const name = address.split("/").pop();
  try {
    say(`Loading ${name} ...`);
    const answer = await fetch(address);
    if (!answer.ok) throw new PlayerError(`the server says ${answer.status}`);
    await open(new File([await answer.blob()], name));
  } catch (error) {
    say(`${name} cannot be played: ${error instanceof PlayerError ? error.message : "it cannot be fetched"}`, true);
  }
}

async function open(file) {
  try {
    if (file.size > MOST_BYTES) throw new PlayerError(`it has ${file.size} bytes; ${MOST_BYTES} are read`);
    say(`Opening ${file.name} ...`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (isMidi(file, bytes) || isSound(file)) {
      if (!model) throw new PlayerError("choose an instrument first");
      render(file, isSound(file) ? { samples: await decoded(bytes) } : { midi: bytes });
      return;
    }
    const read = await readModelFile(bytes);
    adopt(settingsOf(read));
    model = read;
    await start(model);
    show(file, model.card);
    say(`${model.card.name || file.name} is ready: play.`);
  } catch (error) {
    const words = error instanceof PlayerError ? error.message : `${error.name}: ${error.message}`;
    say(`${file.name} cannot be played: ${words}`, true);
  }
}

function isMidi(file, bytes) {
  return /\.(midi?|kar|smf|rmi)$/i.test(file.name) || String.fromCharCode(...bytes.subarray(0, 4)) === "MThd";
}

// Ogg is `application/ogg` in Firefox.
const isSound = ({ type }) => (type.startsWith("audio/") && !/midi?$/.test(type)) || type === "application/ogg";

// A recording as the browser reads it: mono, at the rate of the instrument.
async function decoded(bytes) {
  try {
    const offline = new OfflineAudioContext(1, 1, model.card.sample_rate), sound = await offline.decodeAudioData(bytes.buffer);
    const mono = new Float32Array(sound.length);
    for (let c = 0; c < sound.numberOfChannels; c++) {
      sound.getChannelData(c).forEach((x, n) => { mono[n] += x / sound.numberOfChannels; });
    }
    return mono;
  } catch (error) {
    if (error.name !== "EncodingError") throw error;
    throw new PlayerError("the browser cannot read it as a sound");
  }
}

// A MIDI file or a recording on the instrument that is open, with the knobs as they are.
function render(file, given) {
  worker?.terminate();
  worker = new Worker(new URL("render-worker.js", import.meta.url), { type: "module" });
  const [box, bar, audio, link] = ["rendered", "progress", "audio", "download"].map($);
  box.hidden = bar.hidden = false;
  audio.hidden = link.hidden = true;
  say(`Playing ${file.name} into a file ...`);
  worker.onmessage = ({ data }) => {
    if (data.error) {
      box.hidden = true;
      say(`${file.name} cannot be played: ${data.error}`, true);
    } else if (data.sound) {
      URL.revokeObjectURL(audio.src);
      audio.src = link.href = URL.createObjectURL(new Blob([data.sound], { type: "audio/wav" }));
      link.download = file.name.replace(/\.[^.]*$/, "") + ".wav";
      bar.hidden = true;
      audio.hidden = link.hidden = false;
      say(`${file.name} is ready to be heard.`);
    } else bar.value = data.total ? data.done / data.total : 0;
  };
  worker.onerror = (event) => say(`${file.name} cannot be played: ${event.message}`, true);
  worker.postMessage({ file: model, settings: { ...settings, gate: false }, ...given });
}

async function start(file) {
  heard?.end();
  heard = null;
  endPicture?.();
  await context?.close();
  node = null;
  context = new AudioContext({ sampleRate: file.card.sample_rate, latencyHint: "interactive" });
  await context.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
  node = new AudioWorkletNode(context, "ddsp-player", {
    channelCount: 1, channelCountMode: "explicit", outputChannelCount: [2], processorOptions: { file, voices: VOICES },
  });
  await new Promise((resolve, reject) => {
    node.onprocessorerror = () => reject(new PlayerError("its network or its processors are not played here"));
    node.port.onmessage = ({ data }) => {
      if ("microphone" in data) tellMicrophone(data);
      else $("meter").value = data.level;
      resolve();
    };
    setTimeout(resolve, 300); // a context that waits for a gesture sends nothing yet
  });
  node.connect(context.destination);
  endPicture = running($("spectrogram"), context, node);
  tellMicrophone({ microphone: false });
  send({ type: "settings", settings });
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
  const own = Math.round(1000 * latency), page = Math.round(1000 * (context.baseLatency + (context.outputLatency || 0)));
  $("latency").textContent = on
    ? `${own} ms of the instrument, ${page} ms of the browser, and what the microphone takes. Wear headphones.` : "";
}

function show(file, card) {
  const hz = (f) => `${Math.round(f)} Hz`;
  const rows = [
    ["file", `${file.name}, ${Math.round(file.size / 1000)} kB`],
    ["sample rate", `${card.sample_rate} Hz, hop ${card.hop}`],
    ["pitch", card.f0_hz_range ? `${hz(card.f0_hz_range.low)} to ${hz(card.f0_hz_range.high)}` : "not told"],
    ["latency", `${Math.round(1000 * (context.baseLatency + card.hop / card.sample_rate))} ms and that of the device`],
  ];
  $("about").replaceChildren(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  $("desk").hidden = false;
}

function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function knobs() {
  for (const [name, label, min, max, step, unit] of KNOBS) {
    const box = element("label"), value = element("output");
    const input = element("input", "", { type: "range", min, max, step, value: settings[name], name });
    tell[name] = () => {
      input.value = settings[name];
      value.textContent = `${input.value} ${unit}`;
    };
    input.addEventListener("input", () => {
      settings[name] = Number(input.value);
      turned.add(name);
      tell[name]();
      send({ type: "settings", settings: { [name]: settings[name] } });
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

function keys() {
  const black = (note) => [1, 3, 6, 8, 10].includes(note % 12);
  const whites = Array.from({ length: HIGHEST - LOWEST + 1 }, (_, i) => LOWEST + i).filter((note) => !black(note));
  const width = 100 / whites.length;
  for (let note = LOWEST; note <= HIGHEST; note++) {
    const below = whites.filter((white) => white < note).length;
    const names = ["C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp", "A", "A sharp", "B"];
    const key = element("button", "", {
      "data-note": note, type: "button", "aria-label": `${names[note % 12]}${Math.floor(note / 12) - 1}`,
    });
    key.classList.toggle("black", black(note));
    key.style.left = `${width * (black(note) ? below - 0.3 : below)}%`;
    key.style.width = `${width * (black(note) ? 0.6 : 1)}%`;
    key.addEventListener("pointerdown", (event) => {
      const depth = event.offsetY / key.clientHeight; // louder further down
      press(note, Math.round(40 + 80 * Math.min(Math.max(depth, 0), 1)));
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) key.addEventListener(end, () => release(note));
    key.addEventListener("keydown", (event) => event.key === "Enter" && !event.repeat && press(note));
    key.addEventListener("keyup", (event) => event.key === "Enter" && release(note));
    $("keys").append(key);
  }
}

function computerKeys() {
  addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = PIANO.indexOf(event.key.toLowerCase());
    if (event.key === "z" || event.key === "x") octave = Math.min(Math.max(octave + (event.key === "x" ? 1 : -1), -3), 3);
    else if (place >= 0 && !held.has(event.code)) {
      held.set(event.code, 60 + 12 * octave + place);
      press(held.get(event.code));
    }
  });
  addEventListener("keyup", (event) => {
    if (held.has(event.code)) release(held.get(event.code));
    held.delete(event.code);
  });
  addEventListener("blur", () => {
    held.clear();
    send({ type: "silence" });
  });
}

async function midi() {
  if (!navigator.requestMIDIAccess) return;
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
  const kind = status >> 4, channel = status & 15;
  if (kind === 9 && second > 0) press(first, second, channel);
  else if (kind === 8 || kind === 9) release(first, channel);
  else if (kind === 11 && first === 64) send({ type: "sustain", down: second >= 64 });
  else if (kind === 11 && (first === 120 || first === 123)) send({ type: "silence" });
  else if (kind === 14) send({ type: "bend", semitones: (2 * (first + 128 * second - 8192)) / 8192 });
}

$("microphone").addEventListener("click", sing);
$("file").addEventListener("change", ({ target }) => {
  if (target.files[0]) open(target.files[0]);
  target.value = ""; // so that the same file can be chosen again, also after a reload, over which Firefox keeps it
});
addEventListener("dragover", (event) => (event.preventDefault(), document.body.classList.add("over")));
addEventListener("dragleave", () => document.body.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
});
knobs();
keys();
computerKeys();
midi();
const named = new URLSearchParams(location.search).get("instrument");
if (named) openNamed(named);
