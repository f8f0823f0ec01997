// Gathers what the microphone gives into pieces of a tenth of a second.

const PIECE = 1600;

class Samples extends AudioWorkletProcessor {
  constructor() {
    super();
    this.samples = new Int16Array(PIECE);
    this.count = 0;
    this.loud = 0;
    this.port.onmessage = () => this.flush();
  }

  process([[channel]]) {
    for (const value of channel ?? []) {
      const level = Math.abs(value);
      if (level > this.loud) this.loud = level;
      this.samples[this.count++] = Math.max(-32768, Math.min(32767, Math.round(value * 32767)));
      if (this.count === PIECE) this.flush();
    }
    return true;
  }

  flush() {
    if (!this.count) return;
    const samples = this.samples.slice(0, this.count);
    this.port.postMessage({ samples, level: this.loud }, [samples.buffer]);
    this.count = 0;
    this.loud = 0;
  }
}

registerProcessor("samples", Samples);
