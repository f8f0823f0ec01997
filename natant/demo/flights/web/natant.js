// A small WARP client: links that stay in sync with lanes, over one WebSocket that comes back by itself.
//
//   const host = new Host("ws://localhost:9001/");
//   host.sync("/airport/EWR", "window", { set: (value) => ... });
//   host.sync("/carrier/UA", "planes", { update: (key, value) => ..., remove: (key) => ..., clear: () => ... });
//   host.sync("/control", "actions", { list: (values) => ... });
//   host.command("/airport/EWR", "obey", { mode: "hold", at: 0 });
//
// After a reconnection every link is synced anew.  `host.status` is "connecting", "connected" or "waiting";
// `host.heard` is when the last message came (performance.now()), `host.count` how many came so far.

import { read, write } from "/-/web/recon.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
// A host answers each sync at once, so a connection without a word for so long is dead.
const SILENCE_MS = 45000;

export class Host {
  constructor(url, onStatus = () => {}) {
    this.url = url;
    this.onStatus = onStatus;
    this.links = new Map();
    this.count = 0;
    this.heard = 0;
    this.status = "connecting";
    this.wait = FIRST_WAIT_MS;
    this.connect();
    setInterval(() => this.watch(), SILENCE_MS / 3);
  }

  sync(node, lane, handlers) {
    const address = `${node}\n${lane}`;
    this.links.set(address, { node, lane, ...handlers });
    this.send("sync", node, lane);
  }

  unlink(node, lane) {
    if (this.links.delete(`${node}\n${lane}`)) this.send("unlink", node, lane);
  }

  command(node, lane, value) {
    this.send("command", node, lane, write(value));
  }

  connect() {
    this.become("connecting");
    const socket = new WebSocket(this.url, "warp0");
    this.socket = socket;
    socket.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.heard = performance.now();
      this.become("connected");
      for (const link of this.links.values()) this.send("sync", link.node, link.lane);
    };
    socket.onmessage = (message) => {
      this.heard = performance.now();
      this.count++;
      this.receive(message.data);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.become("waiting");
      setTimeout(() => this.connect(), this.wait * (0.75 + Math.random() / 2));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    };
  }

  // Ask something of a host that has been silent; close the connection where nothing comes.
  watch() {
    if (this.status !== "connected") return;
    const silence = performance.now() - this.heard;
    if (silence > SILENCE_MS) this.socket.close();
    else if (silence > SILENCE_MS / 3) {
      const first = this.links.values().next().value;
      if (first) this.send("sync", first.node, first.lane);
    }
  }

  become(status) {
    this.status = status;
    this.onStatus(status);
  }

  send(tag, node, lane, body = "") {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const space = body && !/^[@{["%]/.test(body) ? " " : "";
    this.socket.send(`@${tag}(node:${write(node)},lane:${write(lane)})${space}${body}`);
  }

  receive(frame) {
    const { attrs, body } = read(frame);
    const [tag, header] = attrs[0];
    const link = this.links.get(`${header.node}\n${header.lane}`);
    if (!link) return;
    if (tag === "event") apply(link, attrs[1], body);
    else if (tag === "synced") link.synced?.();
    else if (tag === "unlinked") link.failed?.(attrs[1]?.[0] ?? String(body ?? "unlinked"));
  }
}

// What an event says: of a value lane its value; of a map lane one entry (or take, drop, clear); of a list lane one place.
function apply(link, operation, body) {
  const [name, argument] = operation ?? [];
  if (name === undefined) link.set?.(body);
  else if (link.list) {
    arrange(link.list.rows ??= [], name, argument, body);
    link.list(link.list.rows.map((row) => row.value));
  } else if (name === "update") link.update?.(argument.key, body);
  else if (name === "remove") link.remove?.(argument.key);
  else link[name]?.(argument);
}

// A list lane's rows carry a key that stays with them.
function arrange(rows, name, argument, value) {
  const at = rows.findIndex((row) => argument?.key && row.key === argument.key);
  if (name === "update" && at >= 0) rows[at].value = value;
  else if (name === "update") rows.splice(argument.index, 0, { key: argument.key, value });
  else if (name === "remove") rows.splice(at >= 0 ? at : argument.index, 1);
  else if (name === "move") rows.splice(argument.to, 0, ...rows.splice(argument.from, 1));
  else if (name === "drop") rows.splice(0, argument);
  else if (name === "take") rows.splice(argument);
  else if (name === "clear") rows.length = 0;
}
