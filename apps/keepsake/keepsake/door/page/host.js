// The way to the service: links to lanes over one WebSocket that comes back by itself, commands and reads over HTTP.
//
//   const host = new Host(token);
//   host.value("/person/ada", "figures", (value) => ...);
//   host.map("/person/ada", "streams", (entries) => ...);       // a Map, in the order of its keys
//   host.list("/person/ada", "notices", (values) => ...);
//   await host.command("/person/ada", "learn", false);
//
// Each of the first three returns a function that ends the link. After a reconnection every link begins anew.

import { read, write } from "/-/web/recon.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
// The service answers each sync at once, so a connection without a word for so long is dead.
const SILENCE_MS = 45000;
const OPERATIONS = new Set(["update", "remove", "clear", "take", "drop", "move"]);

// Whose a token is; the service alone knows whether it is good.
export function personOf(token) {
  try {
    const payload = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0)))).person ?? "";
  } catch {
    return "";
  }
}

export class ServiceError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Host {
  constructor(token, onStatus = () => {}) {
    this.token = token;
    this.onStatus = onStatus;
    this.links = new Map();
    this.wait = FIRST_WAIT_MS;
    this.isOver = false;
    this.connect();
    this.watcher = setInterval(() => this.watch(), SILENCE_MS / 3);
  }

  // --- HTTP

  async fetch(path, options = {}) {
    const headers = { authorization: `Bearer ${this.token}`, ...options.headers };
    const answer = await fetch(path, { ...options, headers });
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      throw new ServiceError(told.code ?? String(answer.status), told.message ?? answer.statusText);
    }
    return answer;
  }

  async json(path, options) {
    return (await this.fetch(path, options)).json();
  }

  async command(node, lane, value) {
    const options = { method: "POST", headers: { "content-type": "application/json" }, body: value === undefined ? "" : JSON.stringify(value) };
    return (await this.json(`${node}?lane=${encodeURIComponent(lane)}`, options)).value;
  }

  get(node, lane) {
    return this.json(`${node}?lane=${encodeURIComponent(lane)}`);
  }

  // --- links

  value(node, lane, tell) {
    return this.link(node, lane, { tell, take: (link, _, body) => (link.state = body) });
  }

  map(node, lane, tell) {
    return this.link(node, lane, { tell, state: new Map(), empty: () => new Map(), take: takeEntry });
  }

  list(node, lane, tell) {
    const told = (rows) => tell(rows.map((row) => row.value));
    return this.link(node, lane, { tell: told, state: [], empty: () => [], take: (link, op, body) => arrange(link.state, op[0], op[1], body) });
  }

  link(node, lane, link) {
    const address = `${node}\n${lane}`;
    this.links.set(address, { node, lane, ...link });
    this.send("sync", node, lane);
    return () => {
      if (this.links.delete(address)) this.send("unlink", node, lane);
    };
  }

  close() {
    this.isOver = true;
    clearInterval(this.watcher);
    this.socket.close();
  }

  connect() {
    if (this.isOver) return;
    this.become("connecting");
    const socket = (this.socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/`, "warp0"));
    socket.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.heard = performance.now();
      socket.send(`@auth{token:${write(this.token)}}`);
      for (const link of this.links.values()) {
        if (link.empty) link.state = link.empty();
        this.send("sync", link.node, link.lane);
      }
    };
    socket.onmessage = (message) => {
      this.heard = performance.now();
      this.receive(message.data);
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      if (event.code === 1008) this.isOver = true;
      this.become(this.isOver ? "refused" : "waiting");
      setTimeout(() => this.connect(), this.wait * (0.75 + Math.random() / 2));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    };
  }

  // Ask something of a service that has been silent; close the connection where nothing comes.
  watch() {
    if (this.status !== "connected") return;
    const silence = performance.now() - this.heard;
    const first = this.links.values().next().value;
    if (silence > SILENCE_MS) this.socket.close();
    else if (silence > SILENCE_MS / 3 && first) this.send("sync", first.node, first.lane);
  }

  become(status) {
    this.status = status;
    this.onStatus(status);
  }

  send(tag, node, lane) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(`@${tag}(node:${write(node)},lane:${write(lane)})`);
  }

  receive(frame) {
    const { attrs, body } = read(frame);
    const [tag, header] = attrs[0];
    if (tag === "authed") return this.become("connected");
    const link = this.links.get(`${header?.node}\n${header?.lane}`);
    if (!link || tag !== "event") return undefined;
    const isOperation = attrs[1] !== undefined && OPERATIONS.has(attrs[1][0]) && link.empty;
    link.take(link, isOperation ? attrs[1] : ["set", null], plain(body));
    this.later(link);
    return undefined;
  }

  // Tell once for all that came together.
  later(link) {
    if (link.isDue) return;
    link.isDue = true;
    queueMicrotask(() => {
      link.isDue = false;
      link.tell(link.state);
    });
  }
}

function takeEntry(link, [name, argument], body) {
  if (name === "update") link.state.set(argument.key, body);
  else if (name === "remove") link.state.delete(argument.key);
  else if (name === "clear") link.state.clear();
  else if (name === "drop") for (const key of [...link.state.keys()].sort().slice(0, argument)) link.state.delete(key);
  else if (name === "take") for (const key of [...link.state.keys()].sort().slice(argument)) link.state.delete(key);
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

// Values without the names of their types.
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if ("attrs" in value) return plain(value.body);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}
