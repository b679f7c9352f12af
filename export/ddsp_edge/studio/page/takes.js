// What was given and what became of it, side by side.

import * as asking from "./asking.js";
import { make, onPage, reveal, size, words } from "./making.js";
import { curves, noteName, score } from "./pictures.js";
import { Player } from "./player.js";

const SILENT_DB = -65;
/** What is heard of a training: what it is called, and in short; `made` is an instrument or a voice. */
const HEARD = {
    recording: { name: () => "The recording, held back", short: () => "the recording" },
    resynthesis: { name: (sound, made) => `The ${made} after step ${sound.step}`, short: (made) => `the ${made}` },
};

export class Takes {
    /**
     * @param {HTMLElement} place Where they stand.
     * @param {(error: Error) => void} tell Is told what went wrong.
     * @param {() => void} changed Is called when something was asked for.
     */
    constructor(place, tell, changed) {
        this.place = place;
        this.tell = tell;
        this.changed = changed;
        this.sections = new Map();
        this.cards = new Map();
    }

    /** Show all jobs as they are now. */
    show(jobs) {
        document.getElementById("empty").hidden = jobs.length > 0;
        const there = new Set(jobs.map((job) => job.id));
        for (const [id, card] of this.cards) {
            if (there.has(id)) continue;
            card.element.remove();
            card.choice?.remove();
            this.cards.delete(id);
            this.sections.get(id)?.element.remove();
            this.sections.delete(id);
        }
        for (const job of jobs) {
            if (job.what !== "result" && !this.sections.has(job.id)) this.begin(job);
            const section = this.sections.get(job.input ?? job.id);
            if (!section) continue;
            if (!this.cards.has(job.id)) {
                this.cards.set(job.id, new Card(job, section, this));
            }
            this.cards.get(job.id).show(job);
        }
    }

    /** Bring what became of a job into view. */
    reveal(id) {
        const card = this.cards.get(id);
        if (card) reveal(card.element);
    }

    begin(job) {
        const cards = make("div", { class: "cards" });
        const choices = make("fieldset", { class: "hear", hidden: true }, make("legend", { text: "Hear" }));
        const element = make("section", { class: "take", "aria-label": job.name },
            make("h2", { text: job.name }), choices, cards);
        this.place.prepend(element);
        this.sections.set(job.id, { element, cards, choices, id: job.id });
    }

    /** Pause all others when one plays. */
    alone(audio) {
        for (const other of this.place.querySelectorAll("audio")) if (other !== audio) other.pause();
    }

    async ask(promise) {
        try {
            await promise;
        } catch (error) {
            this.tell(error);
        }
        this.changed();
    }
}

class Card {
    constructor(job, section, takes) {
        this.section = section;
        this.takes = takes;
        this.body = make("div");
        this.bar = make("progress", { max: 1, "aria-label": `Progress of ${job.label ?? job.name}` });
        this.words = make("p", { class: "soft" });
        this.button = make("button", { type: "button", class: "quiet", onclick: () => this.end() });
        this.title = { input: "What was given", training: "Training" }[job.what] ?? job.label;
        this.again = make("button", {
            type: "button", class: "quiet", hidden: true, text: "Go on", "aria-label": `Go on with ${job.name}`,
            onclick: () => this.takes.ask(asking.goOn(this.job.id)),
        });
        this.element = make("article", { "aria-label": this.title },
            make("div", { class: "top" }, make("h3", { text: this.title }), make("span", {}, this.again, this.button)),
            settings(job), this.words, this.bar, this.body);
        this.losses = make("div");
        this.heard = make("div", { class: "heard" });
        this.players = new Map();
        this.body.before(this.losses, this.heard);
        section.cards.append(this.element);
        this.state = "";
    }

    show(job) {
        this.job = job;
        const running = !asking.isOver(job);
        this.bar.hidden = !running;
        if (job.state === "waiting") this.bar.removeAttribute("value");
        else this.bar.value = job.share;
        this.words.textContent = running ? job.words || job.state : job.state === "done" ? told(job) : onPage(job.words);
        this.words.className = job.state === "failed" ? "warn" : "soft";
        this.again.hidden = job.what !== "training" || !asking.isBroken(job);
        this.showLosses(job.live);
        for (const sound of job.live?.sounds ?? []) this.hear(sound);
        const verb = running ? "Cancel" : "Remove";
        this.button.textContent = verb;
        this.button.setAttribute("aria-label", `${verb} ${this.title}`);
        if (job.state === "done" && this.state !== "done") this.fill(job.result);
        this.element.classList.toggle("failed", job.state === "failed");
        this.element.dataset.state = this.state = job.state;
    }

    /** The losses of a training so far. */
    showLosses(live) {
        if (!live?.loss || live.loss.length === this.points) return;
        this.points = live.loss.length;
        const canvas = make("canvas", { class: "curve", role: "img", "aria-label": "Losses along the training" });
        const lines = [
            { values: live.loss, ink: "--before", wide: true, points: true },
            { values: live.val_loss ?? [], ink: "--after", points: true },
        ];
        curves(canvas, lines, Math.log, (value) => Math.exp(value).toFixed(2));
        const words = make("figcaption", { text: "Loss" },
            make("i", { class: "key before" }), "trained on", make("i", { class: "key after" }), "held back");
        this.losses.replaceChildren(make("figure", {}, words, canvas));
    }

    /** The newest that is heard of a training. */
    hear(sound) {
        const { name, short } = HEARD[sound.kind], made = this.job.makes.split(" ").at(-1);
        if (!this.players.has(sound.kind)) {
            const heading = make("h4");
            const player = new Player("auto", (audio) => this.takes.alone(audio), (text) => { heading.textContent = text; });
            this.players.set(sound.kind, player);
            this.heard.append(make("div", {}, heading, ...player.elements));
            this.offer(player.audio, sound.seconds, short(made));
        }
        // Where it was replaced by a newer one meanwhile, that one is shown soon.
        this.players.get(sound.kind).show(sound, name(sound, made)).catch(() => {});
    }

    end() {
        this.takes.ask(asking.isOver(this.job) ? asking.remove(this.job.id) : asking.cancel(this.job.id));
    }

    fill(result) {
        const sounds = result.sounds ?? (result.sound ? [result.sound] : []);
        const [first, ...stems] = sounds;
        if (first) this.body.append(...this.player(first, this.title, true));
        if (result.curves) this.body.append(...pitchAndLoudness(result.curves));
        if (result.score) this.body.append(notes(result.score));
        if (first && Math.max(...first.level_db) < SILENT_DB) {
            this.body.append(make("p", { class: "warn", text: "This is nearly silent." }));
        }
        for (const warning of result.warnings ?? []) this.body.append(make("p", { class: "warn", text: onPage(warning) }));
        if (stems.length) {
            const more = make("details", {}, make("summary", { text: "Its parts" }));
            for (const stem of stems) more.append(make("h4", { text: stem.label }), ...this.player(stem, stem.label, false));
            this.body.append(more);
        }
        if (result.files) this.body.append(saves(result.files));
    }

    player(sound, name, first) {
        // A browser has six lines to a server: long sounds must not hold them all before anybody plays them.
        const preload = first && sound.seconds < 60 ? "metadata" : "none";
        const player = new Player(preload, (audio) => this.takes.alone(audio));
        player.show(sound, name).catch(this.takes.tell);
        if (first) this.offer(player.audio, sound.seconds, this.job.what === "input" ? "as it was" : this.job.label);
        return player.elements;
    }

    /** One of those that can be heard in turn, at the same place in time. */
    offer(audio, seconds, label) {
        const { choices, id } = this.section;
        const input = make("input", { type: "radio", name: `hear-${id}` });
        this.choice = make("label", {}, input, label);
        this.choice.body = this.body;
        // In the order of what is seen below, whichever was ready first.
        const later = [...choices.querySelectorAll("label")].find(
            ({ body }) => this.body.compareDocumentPosition(body) & Node.DOCUMENT_POSITION_FOLLOWING);
        choices.insertBefore(this.choice, later ?? null);
        choices.hidden = choices.querySelectorAll("input").length < 2;
        this.audio = audio;
        input.addEventListener("change", () => {
            const others = [...this.section.cards.querySelectorAll("audio")].filter((other) => other !== audio);
            const playing = others.find((other) => !other.paused);
            const from = playing ?? others.toSorted((a, b) => (b.heardAt ?? 0) - (a.heardAt ?? 0))[0];
            if (from && from.currentTime < seconds) audio.currentTime = from.currentTime;
            audio.play().catch(() => {});
        });
        audio.addEventListener("play", () => { input.checked = true; });
        audio.addEventListener("timeupdate", () => { audio.heardAt = performance.now(); });
    }
}

function told(job) {
    if (job.what === "input") return job.result.about;
    return job.result.told.join("; ");
}

function settings(job) {
    const set = Object.entries(job.values ?? {});
    if (!set.length) return null;
    const text = set.map(([name, value]) => value === true ? words(name) : `${words(name)} ${value}`).join("; ");
    return make("p", { class: "soft", text });
}

function pitchAndLoudness({ heard, told }) {
    const legend = (name) => make("figcaption", { text: name },
        make("i", { class: "key before" }), "as played", make("i", { class: "key after" }), "for the instrument");
    const pitch = make("canvas", { class: "curve", role: "img", "aria-label": "Pitch along time, as played and for the instrument" });
    const loudness = make("canvas", { class: "curve", role: "img", "aria-label": "Loudness along time, as played and for the instrument" });
    const pair = (name) => [{ values: heard[name], ink: "--before", wide: true }, { values: told[name], ink: "--after" }];
    curves(pitch, pair("f0_hz"), (hz) => 69 + 12 * Math.log2(hz / 440), noteName);
    curves(loudness, pair("loudness_db"), (db) => db, (db) => `${Math.round(db)} dB`);
    return [make("figure", {}, legend("Pitch"), pitch), make("figure", {}, legend("Loudness"), loudness)];
}

function notes(shown) {
    const canvas = make("canvas", { class: "score", role: "img", "aria-label": `${shown.notes.length} notes along time` });
    const parts = score(canvas, shown);
    const caption = make("figcaption", { text: "Notes" });
    for (const { name, ink } of parts) {
        const key = make("i", { class: "key" });
        key.style.background = ink;
        caption.append(key, name);
    }
    if (shown.left_out) caption.append(`; ${shown.left_out} more are not shown`);
    return make("figure", {}, caption, canvas);
}

function saves(files) {
    const links = files.map((file) => {
        const what = !file.label || file.label === file.kind ? file.kind : `${file.label} (${file.kind})`;
        const text = `${what}, ${size(file.bytes)}`;
        return make("a", { href: asking.file(file.file, true), download: file.name, text, "aria-label": `Save ${file.name}` });
    });
    return make("div", { class: "saves" }, make("span", { class: "soft", text: "Save:" }), ...links);
}
