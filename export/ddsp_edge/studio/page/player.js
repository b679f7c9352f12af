// A sound that is heard and seen. It may become another one: never while it plays, and at the same place in time.

import * as asking from "./asking.js";
import { make } from "./making.js";
import { spectrum } from "./pictures.js";

export class Player {
    /**
     * @param {string} preload As of an `audio` element.
     * @param {(audio: HTMLAudioElement) => void} plays Is called when it is played.
     * @param {(name: string) => void} named Is called with what it is called now.
     */
    constructor(preload, plays, named = () => {}) {
        this.named = named;
        this.audio = make("audio", { controls: true, preload });
        this.audio.addEventListener("play", () => plays(this.audio));
        this.canvas = make("canvas", { role: "img" });
        this.elements = [this.audio, make("figure", {}, this.canvas)];
        this.word = null;
        this.draw = null;
    }

    /** Show a sound; where another one plays nothing happens, and it is to be shown again. */
    async show(sound, name) {
        const before = this.word;
        if (sound.audio === before || !this.audio.paused) return;
        this.word = sound.audio;
        if (before === null) this.load(sound, name);
        try {
            const bytes = await asking.bytes(sound.picture);
            if (this.word !== sound.audio) return;
            if (before !== null && !this.audio.paused) {
                this.word = before;
                return;
            }
            if (before !== null) this.load(sound, name);
            if (this.draw) this.draw(sound, bytes);
            else this.draw = spectrum(this.canvas, sound, bytes, this.audio);
        } catch (error) {
            if (this.word === sound.audio) this.word = before;
            throw error;
        }
    }

    load(sound, name) {
        const place = this.audio.ended ? 0 : this.audio.currentTime;
        this.audio.src = asking.file(sound.audio);
        if (place > 0) this.audio.currentTime = place;
        this.audio.setAttribute("aria-label", `${name}, ${sound.about ?? ""}`);
        this.canvas.setAttribute("aria-label", `Spectrum of ${name} along time`);
        this.named(name);
    }
}
