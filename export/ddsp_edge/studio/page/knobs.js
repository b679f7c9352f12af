// The knobs of what is to be done, as the command line describes them.

import { make, onPage, words } from "./making.js";

const IN_VIEW = 5;

export class Knobs {
    /** @param {HTMLElement} first Where those stand that are most used. @param {HTMLElement} more And all others. */
    constructor(first, more) {
        this.first = first;
        this.more = more;
        this.read = new Map();
        this.kept = new Map();
    }

    /** Show the knobs of a use; those of the same name keep what they were set to. */
    show(knobs) {
        this.keep();
        this.read.clear();
        const rows = knobs.map((knob) => this.row(knob));
        this.first.replaceChildren(...rows.slice(0, IN_VIEW));
        this.more.replaceChildren(...rows.slice(IN_VIEW));
        return rows.length > IN_VIEW;
    }

    /** Set all back. */
    reset(knobs) {
        this.read.clear();
        this.kept.clear();
        this.show(knobs);
    }

    keep() {
        for (const [name, value] of Object.entries(this.values(true))) {
            if (value === null) this.kept.delete(name);
            else this.kept.set(name, value);
        }
    }

    /** All that was set, to be set again by `recall`. */
    remembered() {
        this.keep();
        return Object.fromEntries(this.kept);
    }

    recall(values) {
        this.kept = new Map(Object.entries(values));
    }

    /** What is set otherwise than it would be by itself. */
    values(all = false) {
        const found = {};
        for (const [name, read] of this.read) {
            const value = read();
            if (value !== null || all) found[name] = value;
        }
        return found;
    }

    row(knob) {
        const make_ = { flag: flag, choice: choice, names: names, text: text }[knob.kind] ?? number;
        const [row, read] = make_(knob, this.kept.get(knob.name));
        this.read.set(knob.name, read);
        return row;
    }
}

function frame(knob, control, ...more) {
    const id = `knob-${knob.name}`;
    control.id = id;
    control.setAttribute("aria-describedby", `${id}-help`);
    return make("div", { class: "knob" },
        make("label", { for: id, text: words(knob.name) }), control, ...more,
        make("small", { id: `${id}-help`, text: onPage(knob.help) }));
}

function flag(knob, kept) {
    const box = make("input", { type: "checkbox" });
    box.checked = kept ?? knob.default ?? false;
    return [frame(knob, box), () => (box.checked === Boolean(knob.default) ? null : box.checked)];
}

function choice(knob, kept) {
    const select = make("select", {}, ...knob.choices.map((name) => make("option", { value: name, text: name })));
    const usual = knob.default ?? knob.choices[0];
    select.value = kept ?? usual;
    return [frame(knob, select), () => (select.value === usual ? null : select.value)];
}

function text(knob, kept) {
    const input = make("input", { type: "text" });
    input.value = kept ?? "";
    return [frame(knob, input), () => input.value.trim() || null];
}

function names(knob, kept) {
    const boxes = knob.choices.map((name) => {
        const box = make("input", { type: "checkbox", value: name });
        box.checked = (kept ?? []).includes(name);
        return box;
    });
    const labels = boxes.map((box) => make("label", {}, box, box.value));
    const id = `knob-${knob.name}-help`;
    const group = make("fieldset", { class: "names", "aria-label": words(knob.name), "aria-describedby": id }, ...labels);
    const row = make("div", { class: "knob wide" },
        make("span", { text: words(knob.name) }), make("small", { id, text: onPage(knob.help) }), group);
    return [row, () => {
        const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
        return chosen.length ? chosen : null;
    }];
}

function number(knob, kept) {
    const whole = knob.kind === "whole";
    const box = make("input", { type: "number", min: knob.low, max: knob.high, step: whole ? 1 : "any" });
    const usual = knob.default;
    box.value = kept ?? usual ?? "";
    box.placeholder = "–";
    const ends = knob.usual ?? (knob.low !== null && knob.high !== null ? [knob.low, knob.high] : null);
    const extra = [];
    if (ends && usual !== null) {
        const step = whole ? 1 : (ends[1] - ends[0] > 10 ? 0.5 : 0.01);
        const slider = make("input", {
            type: "range", min: ends[0], max: ends[1], step, "aria-label": `${words(knob.name)}, slider`,
        });
        slider.value = box.value;
        slider.addEventListener("input", () => { box.value = slider.value; });
        box.addEventListener("input", () => { slider.value = box.value; });
        extra.push(slider);
    }
    return [frame(knob, box, ...extra), () => {
        if (box.value === "" || !Number.isFinite(box.valueAsNumber)) return null;
        return box.valueAsNumber === usual ? null : box.valueAsNumber;
    }];
}
