// Tables of a flatbuffer, read with every offset and length checked: a file from anywhere may say anything.
// The format is that of https://flatbuffers.dev/internals.
import { PlayerError } from "./errors.js";

const READ = {
  b: ["getInt8", 1], B: ["getUint8", 1], H: ["getUint16", 2],
  i: ["getInt32", 4], I: ["getUint32", 4], f: ["getFloat32", 4],
};

export class Table {
  constructor(view, where) {
    this.view = view;
    this.where = where;
    const begin = where - number(view, where, "i");
    const size = number(view, begin, "H");
    within(view, begin, size);
    this.begin = begin;
    this.count = Math.max(0, Math.floor((size - 4) / 2));
  }

  static root(view) {
    return new Table(view, number(view, 0, "I"));
  }

  place(field) {
    const offset = field < this.count ? number(this.view, this.begin + 4 + 2 * field, "H") : 0;
    return offset ? this.where + offset : null;
  }

  number(field, kind = "i", otherwise = 0) {
    const where = this.place(field);
    return where === null ? otherwise : number(this.view, where, kind);
  }

  table(field) {
    const where = this.place(field);
    return where === null ? null : new Table(this.view, where + number(this.view, where, "I"));
  }

  // Offset of the first item of a vector, and how many there are.
  vector(field, bytes) {
    const where = this.place(field);
    if (where === null) return [0, 0];
    const start = where + number(this.view, where, "I");
    const length = number(this.view, start, "I");
    within(this.view, start + 4, length * bytes);
    return [start + 4, length];
  }

  numbers(field, kind) {
    const [start, length] = this.vector(field, READ[kind][1]);
    return Array.from({ length }, (_, i) => number(this.view, start + i * READ[kind][1], kind));
  }

  bytes(field) {
    const [start, length] = this.vector(field, 1);
    return new Uint8Array(this.view.buffer, this.view.byteOffset + start, length);
  }

  // Of a vector of 64-bit numbers, whether any of them is not 0.
  anyOf64(field) {
    const [start, length] = this.vector(field, 8);
    for (let i = 0; i < 2 * length; i++) if (number(this.view, start + 4 * i, "I")) return true;
    return false;
  }

  tables(field, limit) {
    const [start, length] = this.vector(field, 4);
    if (length > limit) throw new PlayerError(`it claims ${length} entries where at most ${limit} are read`);
    return Array.from({ length }, (_, i) => {
      const place = start + 4 * i;
      return new Table(this.view, place + number(this.view, place, "I"));
    });
  }

  text(field) {
    const [start, length] = this.vector(field, 1);
    let text = "";
    for (let i = 0; i < Math.min(length, 200); i++) text += String.fromCharCode(this.view.getUint8(start + i));
    return text;
  }
}

function number(view, where, kind) {
  const [read, bytes] = READ[kind];
  within(view, where, bytes);
  return view[read](where, true);
}

function within(view, where, size) {
  if (where < 0 || where + size > view.byteLength) {
    throw new PlayerError(`it is damaged: an offset points to byte ${where + size} of ${view.byteLength}`);
  }
}
