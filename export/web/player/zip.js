// Members of a zip archive that stands at the end of a file, stored or deflated, with sizes checked first.
import { PlayerError } from "./errors.js";

const DIRECTORY = 0x02014b50, END = 0x06054b50, MEMBER = 0x04034b50;

export function members(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && end > bytes.length - 70000 && view.getUint32(end, true) !== END) end--;
  if (end < 0 || view.getUint32(end, true) !== END) throw new PlayerError("it has no card: it was not exported by ddsp_tf");
  const found = new Map();
  // What stands before the archive moves all offsets by as much.
  const size = view.getUint32(end + 12, true), moved = end - size - view.getUint32(end + 16, true);
  let at = end - size;
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at < 0 || at + 46 > bytes.length || view.getUint32(at, true) !== DIRECTORY) break;
    const [nameSize, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameSize));
    found.set(name, {
      method: view.getUint16(at + 10, true),
      packed: view.getUint32(at + 20, true),
      unpacked: view.getUint32(at + 24, true),
      where: view.getUint32(at + 42, true) + moved,
    });
    at += 46 + nameSize + extra + comment;
  }
  return found;
}

export async function member(bytes, entry, limit) {
  if (entry.unpacked > limit) throw new PlayerError(`a part of it claims ${entry.unpacked} bytes; ${limit} are read`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = entry.where;
  if (at < 0 || at + 30 > bytes.length || view.getUint32(at, true) !== MEMBER) throw new PlayerError("its archive is damaged");
  const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (start + entry.packed > bytes.length) throw new PlayerError("its archive is cut short");
  const packed = bytes.subarray(start, start + entry.packed);
  if (entry.method === 0) return packed.slice();
  if (entry.method !== 8) throw new PlayerError(`it is packed by method ${entry.method}; only deflate is read`);
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const out = new Uint8Array(entry.unpacked);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (length + value.length > out.length) throw new PlayerError("a part of it is longer than it says");
      out.set(value, length);
      length += value.length;
    }
  } catch (error) {
    if (error instanceof PlayerError) throw error;
    throw new PlayerError(`its archive is damaged: ${error.message}`);
  }
  if (length !== out.length) throw new PlayerError("a part of it is cut short");
  return out;
}
