// The desk: what is chosen and set, and what is begun.

import * as asking from "./asking.js";
import { Knobs } from "./knobs.js";
import { knobNames, make, ofFile, onPage, reveal, size } from "./making.js";
import { Recorder } from "./recorder.js";
import { Takes } from "./takes.js";

const SOON_MS = 350, RARELY_MS = 5000;
const DESK = "desk"; // where a reload finds it as it was
const by = (id) => document.getElementById(id);
const knobs = new Knobs(by("knobs"), by("more-knobs"));
const takes = new Takes(by("takes"), tell, look);
let models = [], jobs = [], input = null, model = null, shownUse = null, timer = null, recordings = 0;

function tell(words) {
    const error = words instanceof Error;
    by("status").textContent = error ? onPage(words.message) : words;
    by("status").classList.toggle("error", error);
}

const useOf = (each, takesKind) => each?.uses.find((use) => use.takes === takesKind) ?? null;
const chosenInput = () => jobs.find((job) => job.id === input && job.state === "done") ?? null;
const chosenUse = () => useOf(models.find((each) => each.id === model), chosenInput()?.result.takes ?? "sound");

async function look() {
    clearTimeout(timer);
    let wait = RARELY_MS;
    try {
        const before = new Map(jobs.map((job) => [job.id, job.state]));
        jobs = await asking.state();
        for (const job of jobs) if (before.has(job.id) && before.get(job.id) !== job.state) news(job, before.get(job.id));
        if (!jobs.every(asking.isOver)) wait = SOON_MS;
        show();
    } catch (error) {
        tell(new Error(error instanceof TypeError ? "The studio has ended: start it again with ddsp-edge studio." : error.message));
    }
    clearTimeout(timer);
    timer = setTimeout(look, wait);
}

/** Say what became of a job, for those who do not look at it. */
function news(job, before) {
    const { name } = job;
    if (asking.isBroken({ state: before })) tell(`${name} goes on.`);
    else if (job.what === "training" && job.state === "done") {
        lookAtModels().then(show);
        tell(`${name} is trained, and can be chosen.`);
    } else if (job.state === "done") tell(job.what === "input" ? `${name} is here.` : `${job.label} is ready to be heard.`);
    else if (job.state === "failed") tell(new Error(ofFile(name, job.words)));
    else if (job.state === "cancelled") tell(`${name} was cancelled.`);
}

function show() {
    takes.show(jobs);
    by("remove-all").hidden = !jobs.some(asking.isOver);
    const inputs = jobs.filter((job) => job.what === "input" && !asking.isBroken(job));
    if (!inputs.some((job) => job.id === input)) input = inputs.at(-1)?.id ?? null;
    choices(by("inputs"), "input", inputs.map((job) => ({
        id: job.id, title: job.name, about: job.state === "done" ? job.result.about : job.state === "waiting" && job.words || "being looked at",
    })), input, (id) => { input = id; show(); });
    const kind = chosenInput()?.result.takes ?? null;
    const fits = (each) => kind === null || useOf(each, kind) !== null;
    if (!models.some((each) => each.id === model && fits(each))) model = usual(fits)?.id ?? null;
    choices(by("models"), "model", models.map((each) => ({
        id: each.id, title: each.label, about: each.about, off: !fits(each),
    })), model, (id) => { model = id; show(); });
    compare(kind);
    const use = chosenUse();
    const key = use && `${model} ${use.takes}`;
    if (key !== shownUse) {
        shownUse = key;
        by("knobs-set").hidden = !use;
        if (use) by("more").hidden = !knobs.show(use.knobs);
    }
    const ready = use !== null && chosenInput() !== null;
    by("go").disabled = !ready;
    const waits = inputs.find((job) => job.id === input)?.state === "waiting";
    by("go").textContent = ready ? use.title : waits ? "The sound waits for its turn"
        : inputs.length ? "Being looked at" : "Choose a sound and a model";
}

/** What is chosen where nobody chose: an instrument, which takes whatever is sung or played. */
const usual = (fits) => models.find((each) => each.task === "instrument" && fits(each)) ?? models.find(fits);

/** Keep what is chosen and set over a reload. */
function remember() {
    const { label } = models.find((each) => each.id === model) ?? {};
    try {
        sessionStorage.setItem(DESK, JSON.stringify({ input, label, values: knobs.remembered() }));
    } catch { /* a browser that keeps nothing */ }
}

function recall() {
    try {
        const kept = JSON.parse(sessionStorage.getItem(DESK));
        if (kept === null) return;
        input = kept.input;
        model = models.find((each) => each.label === kept.label)?.id ?? null; // numbers change with the studio
        knobs.recall(kept.values);
    } catch { /* as above */ }
}

/** Radio buttons, kept as they are where nothing changed, so that the keyboard stays where it is. */
function choices(place, name, all, chosen, choose) {
    const key = JSON.stringify([all, chosen]);
    if (place.dataset.key === key) return;
    const focused = place.contains(document.activeElement) ? document.activeElement.value : null;
    place.dataset.key = key;
    place.replaceChildren(...all.map(({ id, title, about, off }) => {
        const radio = make("input", { type: "radio", name, value: id, disabled: off, onchange: () => choose(id) });
        radio.checked = id === chosen;
        return make("label", { class: off ? "choice off" : "choice" }, radio, make("b", { text: title }), make("small", { text: about }));
    }));
    if (focused !== null) place.querySelector("input:checked")?.focus();
}

function compare(kind) {
    const others = models.filter((each) => each.id !== model && kind !== null && useOf(each, kind)
        && useOf(each, kind).command === chosenUse()?.command);
    by("compare-row").hidden = !others.length;
    const select = by("compare"), before = select.value, key = others.map((each) => each.id).join();
    if (select.dataset.key === key) return;
    select.dataset.key = key;
    select.replaceChildren(make("option", { value: "", text: "nothing" }),
        ...others.map((each) => make("option", { value: each.id, text: each.label })));
    select.value = others.some((each) => each.id === before) ? before : "";
}

function take(files) {
    for (const file of files) {
        if (file.name.toLowerCase().endsWith(".tflite")) addModel(file);
        else upload(file, file.name);
    }
}

async function upload(blob, name) {
    const bar = make("progress", { max: 1, value: 0, "aria-label": `Sending ${name}` });
    const { sent, stop } = asking.send("inputs", blob, name, (share) => { bar.value = share; });
    const row = make("div", { class: "upload" }, make("small", { text: `${name}, ${size(blob.size)}` }), bar,
        make("button", { type: "button", class: "quiet", text: "Cancel", "aria-label": `Cancel sending ${name}`, onclick: stop }));
    by("uploads").append(row);
    try {
        input = (await sent).id;
    } catch (error) {
        tell(new Error(ofFile(name, error.message)));
    }
    row.remove();
    look();
}

async function lookAtModels() {
    const told = await asking.models();
    models = told.models;
    for (const { uses } of models) for (const use of uses) for (const knob of use.knobs) knobNames.add(knob.name);
    by("training").hidden = !told.trains.length;
    const chosen = by("training-config").value;
    by("training-config").replaceChildren(...told.trains.map(({ config, makes, consent }) =>
        make("option", { value: config, text: `${config}: ${makes}`, "data-consent": consent, selected: config === chosen })));
    askForConsent();
}

/** Whether whoever is heard must have agreed to what is to be trained. */
const asksConsent = () => by("training-config").selectedOptions[0]?.dataset.consent !== undefined;

function askForConsent() {
    by("training-agreed-row").hidden = !asksConsent();
    by("training-agreed").required = asksConsent();
}

/** Ask again: the next one may be somebody else. */
function forgetConsent() {
    by("training-agreed").checked = false;
}

async function train(event) {
    event.preventDefault();
    const sounds = jobs.filter((job) => job.what === "input" && job.result?.takes === "sound");
    const chosen = by("training-of").value === "all" ? sounds : sounds.filter((job) => job.id === input);
    try {
        const { id } = await asking.start({
            name: by("training-name").value, config: by("training-config").value,
            steps: by("training-steps").valueAsNumber, inputs: chosen.map((job) => job.id),
            consent: asksConsent() && by("training-agreed").checked,
        }, "trainings");
        tell("Begun.");
        forgetConsent();
        await look();
        takes.reveal(id);
    } catch (error) {
        refused(error);
    }
}

async function addModel(file) {
    try {
        const { id } = await asking.send("models", file, file.name, () => {}).sent;
        await lookAtModels();
        model = id;
        tell(`${file.name} can be chosen now.`);
        show();
    } catch (error) {
        tell(new Error(ofFile(file.name, error.message)));
    }
}

async function begin(event) {
    event.preventDefault();
    if (!by("desk").reportValidity()) return;
    const values = knobs.values(), begun = [];
    try {
        for (const chosen of [model, by("compare").value].filter(Boolean)) {
            begun.push(await asking.start({ model: chosen, input, values }));
        }
        tell("Begun.");
        await look();
        takes.reveal(begun[0].id);
    } catch (error) {
        refused(error);
    }
}

/** Say why nothing is begun, where it is seen. */
function refused(error) {
    tell(error);
    reveal(by("status"));
    look();
}

async function removeAll() {
    if (!confirm("Remove all sounds and results? What was not saved is lost.")) return;
    try {
        await asking.removeAll();
        tell("Removed.");
    } catch (error) {
        tell(error);
    }
    look();
}

const isRecording = () => by("record").getAttribute("aria-pressed") === "true";

const recorder = new Recorder((level) => { by("level").value = level; }, record);
async function record() {
    const button = by("record"), on = isRecording();
    button.disabled = true;
    try {
        if (on) {
            const blob = await recorder.stop();
            upload(blob, `recording ${++recordings}.wav`);
        } else {
            await recorder.start();
            tell("Recording. Press the button again to end.");
        }
        button.setAttribute("aria-pressed", String(!on));
        button.textContent = on ? "Record" : "End recording";
        by("level").hidden = on;
    } catch (error) {
        tell(new Error(`The microphone cannot be used: ${error.message}`));
    }
    button.disabled = false;
}

by("file").addEventListener("change", (event) => { take([...event.target.files]); event.target.value = ""; });
by("model-file").addEventListener("change", (event) => { take([...event.target.files]); event.target.value = ""; });
by("record").addEventListener("click", record);
by("reset").addEventListener("click", () => knobs.reset(chosenUse().knobs));
by("remove-all").addEventListener("click", removeAll);
by("training").addEventListener("submit", train);
by("training-config").addEventListener("change", askForConsent);
for (const id of ["training-config", "training-of", "inputs"]) by(id).addEventListener("change", forgetConsent);
by("desk").addEventListener("submit", begin);
by("more").addEventListener("invalid", () => { by("more").open = true; }, true); // or nobody sees what is wrong
addEventListener("pagehide", remember);
addEventListener("beforeunload", (event) => {
    if (isRecording() || by("uploads").childElementCount) event.preventDefault();
});
addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("over"); });
addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    take([...event.dataTransfer.files]);
});

try {
    await lookAtModels();
    recall();
} catch (error) {
    tell(error);
}
look();
