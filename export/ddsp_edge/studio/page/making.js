// Small elements of the page.

/** Make an element: attributes (on... are listeners, text is its text) and children. */
export function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === undefined || value === false) continue;
        if (name === "text") element.textContent = value;
        else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
}

const UNITS = { db: "dB", s: "s", hz: "Hz", semitones: "semitones" };

/** A name of an option for people: `loudness_shift_db` is `Loudness shift, dB`. */
export function words(name) {
    const parts = name.split("_");
    const unit = parts.length > 1 ? UNITS[parts.at(-1)] : undefined;
    const plain = (unit ? parts.slice(0, -1) : parts).join(" ");
    return plain[0].toUpperCase() + plain.slice(1) + (unit ? `, ${unit}` : "");
}

/** A number of bytes for people. */
export function size(bytes) {
    return bytes < 1e5 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
