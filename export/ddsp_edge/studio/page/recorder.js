// The microphone, into a WAV file in memory.

const MOST_S = 20 * 60;

export class Recorder {
    /** @param {(level: number) => void} hear Is told the level, full scale 1. @param {() => void} full Is called when it must end. */
    constructor(hear, full) {
        this.hear = hear;
        this.full = full;
    }

    async start() {
        if (!navigator.mediaDevices) {
            throw new Error("this browser gives a microphone to pages of this machine and of https alone");
        }
        const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
        this.stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
        this.context = new AudioContext();
        await this.context.audioWorklet.addModule("recorder-worklet.js");
        this.node = new AudioWorkletNode(this.context, "recorder");
        this.blocks = [];
        this.samples = 0;
        this.node.port.onmessage = ({ data }) => {
            this.blocks.push(data);
            this.samples += data.length;
            if (this.blocks.length % 8 === 0) this.hear(data.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 32768);
            if (this.samples > MOST_S * this.context.sampleRate) this.full();
        };
        this.context.createMediaStreamSource(this.stream).connect(this.node);
    }

    /** End; returns the file. */
    async stop() {
        const rate = this.context.sampleRate;
        for (const track of this.stream.getTracks()) track.stop();
        this.node.disconnect();
        await this.context.close();
        return new Blob([head(this.samples, rate), ...this.blocks], { type: "audio/wav" });
    }
}

function head(samples, rate) {
    const view = new DataView(new ArrayBuffer(44));
    const text = (at, letters) => [...letters].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
    text(0, "RIFF");
    view.setUint32(4, 36 + 2 * samples, true);
    text(8, "WAVEfmt ");
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true);
    view.setUint16(22, 1, true);
    view.setUint32(24, rate, true);
    view.setUint32(28, 2 * rate, true);
    view.setUint16(32, 2, true);
    view.setUint16(34, 16, true);
    text(36, "data");
    view.setUint32(40, 2 * samples, true);
    return view;
}
