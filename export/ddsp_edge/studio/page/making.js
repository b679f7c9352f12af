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

/** Names of the options that are knobs of this page. */
export const knobNames = new Set();

/** Words of the command line as the page has them: `--match-loudness` is `“Match loudness”`. */
export function onPage(text) {
    return text.replace(/(--)?\b([a-z]+(?:[-_][a-z]+)*)( (?=-?\d))?/g, (whole, dashes, option, value) => {
        const name = option.replaceAll("-", "_");
        // A single word without dashes may be one like any other: "pitch".
        if (!knobNames.has(name) || !(dashes || name.includes("_"))) return whole;
        return `“${words(name)}”${value ? ": " : ""}`;
    });
}

/** What went wrong with a file, with its name said once. */
export const ofFile = (name, text) => (text.startsWith(name) ? text : `${name}: ${text}`);

/** Bring into view what is not: at the top where the page is one column, else as near as it is. */
export function reveal(element) {
    const { top, bottom } = element.getBoundingClientRect();
    if (top >= 0 && bottom <= innerHeight) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const block = matchMedia("(max-width: 52rem)").matches ? "start" : "nearest";
    element.scrollIntoView({ block, behavior: still ? "auto" : "smooth" });
}

/** A number of bytes for people. */
export function size(bytes) {
    return bytes < 1e5 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
