// @swim/client in headless Chromium, driven by lines of JSON on standard input; answers go to standard output.
//
//   node browser.mjs EXECUTABLE
//
// The page loads the UMD bundles as they are, through the few lines of AMD in page.html.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL(".", import.meta.url));
const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".cjs": "text/javascript" };
const tell = (object) => process.stdout.write(JSON.stringify(object) + "\n");

const files = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
  try {
    const content = await readFile(join(root, path));
    response.writeHead(200, { "Content-Type": types[extname(path)] ?? "application/octet-stream" }).end(content);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => files.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const page = await browser.newPage();
page.on("pageerror", (error) => tell({ heard: "crash", error: String(error.stack) }));
await page.exposeFunction("tell", tell);
await page.goto(`http://127.0.0.1:${files.address().port}/page.html`);
await page.waitForFunction(() => window.handle !== undefined);
tell({ heard: "ready" });

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => page.evaluate((request) => window.handle(request), JSON.parse(line)));
lines.on("close", async () => {
  await browser.close();
  process.exit(0);
});
