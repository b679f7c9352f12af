// A MIDI file or a recording, played into a sound beside the page: how far it is, how to stop it, and what came of it.
const $ = (id) => document.getElementById(id);

export class Rendering {
  // `say`: takes words, and whether they tell of an error.
  constructor(say) {
    this.say = say;
    this.worker = null;
    $("cancel").addEventListener("click", () => {
      this.end();
      say(`${this.name} is played no further; nothing of it was kept.`);
    });
  }

  // Plays what is `given` to render-worker.js; what was being played before is dropped. `on`: name of the instrument.
  begin(name, on, given) {
    this.end();
    this.name = name;
    this.title = `${name}, on ${on}`;
    $("rendering").hidden = false;
    $("what").textContent = this.title;
    $("progress").value = 0;
    this.worker = new Worker(new URL("render-worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => {
      if (data.error) this.fail(data.error);
      else if (data.sound) this.keep(data.sound);
      else $("progress").value = data.total ? data.done / data.total : 0;
    };
    this.worker.onerror = ({ message }) => this.fail(message);
    this.worker.postMessage(given, given.samples ? [given.samples.buffer] : []);
  }

  end() {
    this.worker?.terminate();
    this.worker = null;
    $("rendering").hidden = true;
  }

  fail(words) {
    this.end();
    this.say(`${this.name} cannot be played: ${words}`, true);
  }

  keep(sound) {
    this.end();
    const [audio, link] = [$("audio"), $("download")];
    URL.revokeObjectURL(audio.src);
    audio.src = link.href = URL.createObjectURL(new Blob([sound], { type: "audio/wav" }));
    audio.setAttribute("aria-label", this.title);
    $("title").textContent = this.title;
    link.download = this.name.replace(/\.[^.]*$/, "") + ".wav";
    $("rendered").hidden = audio.hidden = link.hidden = false;
    this.say(`${this.name} is ready to be heard.`);
  }
}
