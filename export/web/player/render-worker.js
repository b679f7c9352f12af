// Renders beside the page, so that it goes on answering: { file, midi or samples, settings } in; progress and a WAV out.
import { renderMidi, renderRecording } from "./render.js";

onmessage = ({ data: { file, midi, samples, settings } }) => {
  try {
    const progress = (done, total) => postMessage({ done, total });
    const sound = midi ? renderMidi(file, midi, settings, 8, progress) : renderRecording(file, samples, settings, progress);
    postMessage({ sound }, [sound.buffer]);
  } catch (error) {
    postMessage({ error: error.message });
  }
};
