// The microphone as a source of sound, without what browsers do to speech.
import { PlayerError } from "./errors.js";

export async function microphone(context) {
  if (!navigator.mediaDevices) throw new PlayerError("browsers give a microphone to pages from https:// or this machine only");
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  try {
    const source = context.createMediaStreamSource(stream);
    return { source, end: () => (source.disconnect(), stop()) };
  } catch (error) { // in an older Firefox, where the microphone has another rate than the instrument
    stop();
    throw error;
  }
}
