// @swim/client in Node.js, driven by lines of JSON on standard input; answers go to standard output.

import { createInterface } from "node:readline";
import * as client from "@swim/client";
import * as recon from "@swim/recon";
import * as structure from "@swim/structure";
import { makeDriver } from "./driver.mjs";

const tell = (object) => process.stdout.write(JSON.stringify(object) + "\n");
const handle = makeDriver({ client, recon, structure }, tell);

process.on("uncaughtException", (error) => tell({ heard: "crash", error: String(error.stack) }));

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => handle(JSON.parse(line)));
lines.on("close", () => process.exit(0));
tell({ heard: "ready" });
