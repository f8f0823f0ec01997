// The microphone as 16 kHz, mono, 16-bit samples, a tenth of a second at a time.

const RATE = 16000;

export class Microphone {
  // `take` gets an Int16Array and the loudness from 0 to 1.
  async open(take) {
    this.media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } });
    this.context = new AudioContext({ sampleRate: RATE });
    await this.context.audioWorklet.addModule("worklet.js");
    const source = this.context.createMediaStreamSource(this.media);
    const node = new AudioWorkletNode(this.context, "samples", { numberOfOutputs: 0 });
    node.port.onmessage = (message) => take(message.data.samples, message.data.level);
    source.connect(node);
    this.node = node;
    await this.context.resume();
  }

  async close() {
    this.media?.getTracks().forEach((track) => track.stop());
    this.node?.port.postMessage("flush");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await this.context?.close();
  }
}
