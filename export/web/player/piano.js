// The piano of the page: as many octaves as there is room for, by fingers, mouse, keyboard or screen reader.
const NAMES = ["C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp", "A", "A sharp", "B"];
const LEAST_PX = 36, MOST_OCTAVES = 3, TAP_MS = 500; // a white key, for a finger; how long a click sounds
const MIDDLE_C = 60, WAYS = [0, -1, 1, -2, 2, -3, 3]; // octaves off the middle one, the nearest first

const isBlack = (note) => [1, 3, 6, 8, 10].includes(note % 12);
const nameOf = (note) => `${NAMES[note % 12]} ${Math.floor(note / 12) - 1}`;

export class Piano {
  // `hands`: Hands; `knows(note)`: whether the instrument was made for it; `shown`: takes the octave in words.
  constructor(box, hands, knows, shown) {
    Object.assign(this, { box, hands, knows, shown });
    this.keys = [];
    this.octave = 0; // of the computer's keys
    this.chosen = false; // whether somebody chose it
    this.at = 0; // place of the key that Tab goes to
    new ResizeObserver(() => this.fit()).observe(box);
    this.hearPointers();
    this.hearKeyboard();
  }

  // The C that the first of the computer's keys plays.
  get low() {
    return MIDDLE_C + 12 * this.octave;
  }

  get first() {
    return this.low - (this.octaves === MOST_OCTAVES ? 12 : 0);
  }

  move(by) {
    this.octave = Math.min(Math.max(this.octave + by, Math.min(...WAYS)), Math.max(...WAYS));
    this.chosen = true;
    this.draw();
  }

  // Goes to the octave that the instrument knows most of, unless somebody chose one.
  settle() {
    const known = (octave) => NAMES.filter((_, i) => this.knows(MIDDLE_C + 12 * octave + i)).length;
    if (!this.chosen) this.octave = WAYS.reduce((best, other) => (known(other) > known(best) ? other : best));
    this.fit();
    this.draw();
  }

  fit() {
    const octaves = Math.min(Math.max(Math.floor((this.box.clientWidth / LEAST_PX - 1) / 7), 1), MOST_OCTAVES);
    if (!this.box.clientWidth || octaves === this.octaves) return;
    this.octaves = octaves;
    this.at = Math.min(this.at, 12 * octaves);
    this.keys = Array.from({ length: 12 * octaves + 1 }, (_, place) => {
      const key = document.createElement("button"), black = isBlack(place), width = 100 / (7 * octaves + 1);
      const below = Array.from({ length: place }, (_, i) => i).filter((i) => !isBlack(i)).length;
      key.type = "button";
      key.classList.toggle("black", black);
      key.style.left = `${width * (black ? below - 0.3 : below)}%`;
      key.style.width = `${width * (black ? 0.6 : 1)}%`;
      return key;
    });
    this.box.replaceChildren(...this.keys);
    this.draw();
  }

  draw() {
    this.keys.forEach((key, place) => {
      const note = this.first + place;
      key.dataset.note = note;
      key.setAttribute("aria-label", nameOf(note));
      key.tabIndex = place === this.at ? 0 : -1;
      key.title = this.knows(note) ? "" : "outside of what the instrument knows";
      key.classList.toggle("outside", !this.knows(note));
      key.classList.toggle("down", this.hands.holds(note));
    });
    const words = `${nameOf(this.first)} to ${nameOf(this.first + this.keys.length - 1)}; a is ${nameOf(this.low)}`;
    if (words !== this.words) this.shown((this.words = words)); // a screen reader reads all that is shown
  }

  // A finger, or the mouse with its button down, plays the key under it, louder further down.
  hearPointers() {
    const { box, hands } = this, down = new Set();
    const play = (event) => {
      const who = `pointer ${event.pointerId}`, key = document.elementFromPoint(event.clientX, event.clientY);
      if (!this.keys.includes(key)) return hands.lift(who);
      const note = Number(key.dataset.note), { top, height } = key.getBoundingClientRect();
      if (hands.held.get(who)?.note === note) return;
      hands.strike(who, note, Math.round(40 + (80 * (event.clientY - top)) / height));
    };
    box.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      down.add(event.pointerId);
      play(event);
    });
    addEventListener("pointermove", (event) => down.has(event.pointerId) && play(event));
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, ({ pointerId }) => (down.delete(pointerId), hands.lift(`pointer ${pointerId}`)));
    }
    box.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  // One stop of the Tab key, from which arrows go on; a key that sounds ends with `keyup`, wherever that is heard.
  hearKeyboard() {
    const { box, hands } = this, last = () => this.keys.length - 1;
    const noteOf = ({ target }) => Number(target.dataset.note);
    const plays = ({ key }) => key === "Enter" || key === " ";
    box.addEventListener("focusin", ({ target }) => {
      this.at = this.keys.indexOf(target);
      this.draw();
    });
    box.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: last() }[event.key];
      if (to === undefined && !plays(event)) return;
      event.preventDefault();
      if (to !== undefined) this.keys[Math.min(Math.max(to, 0), last())].focus();
      else if (!event.repeat) hands.strike(event.code, noteOf(event));
    });
    box.addEventListener("keyup", (event) => plays(event) && event.preventDefault()); // no click after it
    let tap;
    box.addEventListener("click", (event) => {
      if (event.detail || event.target === box) return; // of a pointer, which has played; others come from a screen reader
      clearTimeout(tap);
      hands.strike("tap", noteOf(event));
      tap = setTimeout(() => hands.lift("tap"), TAP_MS);
    });
  }
}
