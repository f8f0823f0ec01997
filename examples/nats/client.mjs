// A plane commanded, read and followed from Node.js, with the NATS client as it comes from its makers.
//
//   node client.mjs FOLDER        FOLDER is the NATS folder of the plane's data, such as .natant/transit/nats

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, headers } from "@nats-io/transport-node";

const read = async (name) => JSON.parse(await readFile(join(process.argv[2], name), "utf8"));
const { nats: port } = await read("ports.json");
const { client: pass } = await read("secrets.json");
const nc = await connect({ servers: `127.0.0.1:${port}`, user: "client", pass });

// part: follow
// Subscribe first, then ask for the state: what comes with a number above the state's belongs behind it.
const events = nc.subscribe("natant.transit.ev.reports.vehicle.7");
const state = await nc.request("natant.transit.in.follow.reports.vehicle.7");
const known = Number(state.headers.get("Natant-Sequence"));
console.log("reports so far:", state.json());
const following = (async () => {
  for await (const event of events) {
    if (Number(event.headers.get("Natant-Sequence")) <= known) continue;
    console.log("event:", event.string());
    if (event.json().value === 2) break;
  }
})();
// end: follow

// part: command
// The answer comes when the command is durable. The same id is never done twice, so asking again is safe.
const again = headers();
again.set("Natant-Command-Id", "node-1");
for (let attempt = 0; attempt < 2; attempt++) {
  const fix = JSON.stringify({ lat: 59.33, lon: 18.06, speed: 12 });
  const answer = await nc.request("natant.transit.in.command.report.vehicle.7", fix, { headers: again, timeout: 5000 });
  console.log("report", answer.json().value, "duplicate:", answer.headers.get("Natant-Duplicate") || "no");
}
nc.publish("natant.transit.in.command.report.vehicle.7", JSON.stringify({ lat: 59.34, lon: 18.07 }));
// end: command
await following;

// part: get
const position = await nc.request("natant.transit.in.get.position.vehicle.7");
console.log("position:", position.string());
const agents = await nc.request("natant.transit.in.list", JSON.stringify({ prefix: "/vehicle/" }));
console.log("agents:", agents.json().nodes.map((agent) => agent.node).join(" "));
const wrong = await nc.request("natant.transit.in.command.report.vehicle.7", '{"lat":"north"}');
console.log("refused:", wrong.headers.get("Natant-Error"));
// end: get

await nc.drain();
