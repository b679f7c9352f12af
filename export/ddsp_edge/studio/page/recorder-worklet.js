// On the audio thread: hands on what the microphone hears, as 16 bits.

class Recorder extends AudioWorkletProcessor {
    process(inputs) {
        const channels = inputs[0];
        if (channels.length) {
            const block = new Int16Array(channels[0].length);
            for (let i = 0; i < block.length; i++) {
                let sum = 0;
                for (const channel of channels) sum += channel[i];
                block[i] = Math.max(-1, Math.min(sum / channels.length, 32767 / 32768)) * 32768;
            }
            this.port.postMessage(block, [block.buffer]);
        }
        return true;
    }
}

registerProcessor("recorder", Recorder);
