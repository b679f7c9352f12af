// Renders beside the page, so that it goes on answering: { file, midi, settings } in; progress and a WAV out.
import { renderMidi } from "./render.js";

onmessage = ({ data: { file, midi, settings } }) => {
  try {
    const sound = renderMidi(file, midi, settings, 8, (done, total) => postMessage({ done, total }));
    postMessage({ sound }, [sound.buffer]);
  } catch (error) {
    postMessage({ error: error.message });
  }
};
