// Sends pieces to the capture door, in order; what is not acknowledged is kept and sent again on the next connection.
//
//   const capture = new Capture(token, person, stream, { kind: "audio" }, (state) => ...);
//   capture.put((number) => bytes or text);

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 10000;
// Pieces that wait for an acknowledgement; ten minutes of sound.
const LIMIT = 6000;

export class Capture {
  constructor(token, person, stream, options, tell = () => {}) {
    const query = new URLSearchParams(options);
    const base = location.origin.replace(/^http/, "ws");
    this.url = `${base}/capture/${encodeURIComponent(person)}/${encodeURIComponent(stream)}?${query}`;
    this.token = token;
    this.tell = tell;
    this.waiting = [];
    this.number = null;
    this.early = [];
    this.wait = FIRST_WAIT_MS;
    this.isOver = false;
    this.state = { status: "connecting", acknowledged: 0, waiting: 0, error: "" };
    this.connect();
  }

  // Add a piece; `make` is told its number.
  put(make) {
    if (this.number === null) {
      if (this.early.length < LIMIT) this.early.push(make);
      else this.fail("KS-PAGE", "the service has not answered for too long; what is said now is not kept");
      return;
    }
    if (this.waiting.length >= LIMIT) {
      this.fail("KS-PAGE", "too much waits for the service; what is said now is not kept");
      return;
    }
    const piece = [this.number, make(this.number)];
    this.number++;
    this.waiting.push(piece);
    if (this.isOpen && this.socket.readyState === WebSocket.OPEN) this.socket.send(piece[1]);
    this.show({});
  }

  // Resolves when all that was put is durable.
  done() {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.state.status === "refused") reject(new Error(this.state.error));
        else if (this.number !== null && !this.waiting.length && !this.early.length) resolve();
        else setTimeout(look, 30);
      };
      look();
    });
  }

  async end() {
    await this.done();
    this.isOver = true;
    this.isOpen = false;
    this.socket.close(1000);
  }

  connect() {
    if (this.isOver) return;
    this.isOpen = false;
    const socket = (this.socket = new WebSocket(this.url, ["bearer", this.token]));
    socket.onmessage = (message) => this.hear(JSON.parse(message.data));
    socket.onclose = () => {
      if (this.isOver || this.state.status === "refused") return;
      this.isOpen = false;
      this.show({ status: "waiting" });
      setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    };
  }

  hear(message) {
    if ("next" in message) this.begin(message.next);
    else if ("ack" in message) this.acknowledge(message.ack + 1);
    else if ("error" in message) this.fail(message.error, message.message);
  }

  begin(next) {
    this.isOpen = true;
    this.wait = FIRST_WAIT_MS;
    this.number ??= next;
    this.acknowledge(next);
    // A socket that closes meanwhile opens again, and begins here.
    for (const [, content] of this.waiting) if (this.socket.readyState === WebSocket.OPEN) this.socket.send(content);
    const early = this.early;
    this.early = [];
    for (const make of early) this.put(make);
    this.show({ status: "connected" });
  }

  acknowledge(next) {
    while (this.waiting.length && this.waiting[0][0] < next) this.waiting.shift();
    this.show({ acknowledged: next });
  }

  fail(code, message) {
    this.show({ status: "refused", error: `${code}  ${message}` });
  }

  show(change) {
    Object.assign(this.state, change, { waiting: this.waiting.length + this.early.length });
    this.tell({ ...this.state });
  }
}

// A piece of sound: its number in four bytes, then samples.
export function soundPiece(number, samples) {
  const bytes = new Uint8Array(4 + samples.byteLength);
  new DataView(bytes.buffer).setUint32(0, number);
  bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), 4);
  return bytes;
}

// A name that no other stream has.
export function streamName(kind) {
  const when = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const chance = [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `page-${kind}-${when}-${chance}`;
}
