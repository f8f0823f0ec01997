// The page: links to lanes, and what each changes on the screen.  The state is the agents'; the page only draws it.

import { Board } from "./board.js";
import { FlightMap } from "./map.js";
import { Host } from "./natant.js";
import { AirportPanel, CarrierPanel, LoopPanel } from "./panel.js";
import { Replay, clockOf, dateOf } from "./time.js";

const AIRPORTS = ["EWR", "JFK", "LGA"];
const by = (id) => document.getElementById(id);

const replay = new Replay();
const map = new FlightMap(by("map"));
const board = new Board(by("board"), AIRPORTS, map.places);
const loop = new LoopPanel(by("loop"));
const carriers = new CarrierPanel(by("carriers"));
const panels = new Map(AIRPORTS.map((code) => [code, new AirportPanel(by("airports"), code)]));

const url = new URLSearchParams(location.search).get("host") ?? `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`;
const host = new Host(url, (status) => {
  by("state").className = status;
});

// --- the control ---------------------------------------------------------------------------------------------------

host.sync("/control", "clock", { set: (clock) => clock && replay.hear(clock.at) });
host.sync("/control", "places", { update: (code, place) => map.place(code, place) });
host.sync("/control", "actions", { list: (actions) => loop.show(actions) });
host.sync("/control", "loop", { set: (total) => total && loop.total(total) });
host.sync("/control", "modes", {
  update: (code, mode) => {
    if (!mode) return;
    map.modes.set(code, mode);
    panels.get(code)?.run(mode);
  },
  remove: (code) => map.modes.delete(code),
});
host.sync("/control", "carriers", { update: follow });

// --- the airports --------------------------------------------------------------------------------------------------

for (const [code, panel] of panels) {
  const node = `/airport/${code}`;
  host.sync(node, "window", {
    set: (window) => {
      if (!window) return;
      replay.hear(window.at);
      panel.window = window;
      panel.refresh();
    },
  });
  host.sync(node, "weather", {
    set: (weather) => {
      panel.weather = weather;
      panel.refresh();
    },
  });
  host.sync(node, "board", {
    update: (line, row) => board.update(code, line, row),
    remove: (line) => board.remove(code, line),
    clear: () => board.clear(code),
  });
}

// --- the carriers --------------------------------------------------------------------------------------------------

function follow(code, name) {
  carriers.add(code, name);
  const carrier = carriers.carriers.get(code);
  const node = `/carrier/${code}`;
  host.sync(node, "tally", { set: (tally) => (carrier.tally = tally) });
  host.sync(node, "advisories", {
    update: (airport) => carrier.advisories.add(airport),
    remove: (airport) => carrier.advisories.delete(airport),
    clear: () => carrier.advisories.clear(),
  });
  host.sync(node, "planes", {
    update: (tail, status) => {
      if (status) replay.hear(status.at);
      map.plane(tail, status);
    },
    remove: (tail) => map.plane(tail, null),
  });
}

// --- the clock of the page -----------------------------------------------------------------------------------------

function frame() {
  const now = replay.step();
  board.now = now;
  map.draw(now);
  requestAnimationFrame(frame);
}

// Counts of messages at the last half-seconds.
const counts = [];
function second() {
  if (replay.now) {
    by("time").textContent = clockOf(replay.now);
    by("date").textContent = dateOf(replay.now);
  }
  const flying = map.flying();
  const byCarrier = new Map();
  for (const { carrier } of flying) byCarrier.set(carrier, (byCarrier.get(carrier) ?? 0) + 1);
  const sum = carriers.refresh(byCarrier);
  by("airborne").textContent = flying.length;
  by("flights").textContent = sum.flights.toLocaleString("en-US");
  by("cancelled").textContent = sum.cancelled.toLocaleString("en-US");
  by("mean").textContent = `${(sum.departed ? sum.delay / sum.departed : 0).toFixed(1)} min`;
  by("speed").textContent = `${Math.max(0, Math.round(replay.speed)).toLocaleString("en-US")}\u00d7`;
  counts.push(host.count);
  if (counts.length > 9) counts.shift();
  by("rate").textContent = Math.round((2 * (host.count - counts[0])) / Math.max(1, counts.length - 1)).toLocaleString("en-US");
  const age = host.heard ? (performance.now() - host.heard) / 1000 : 0;
  by("status").textContent =
    host.status === "connected" ? (age < 2 ? "live" : `quiet for ${Math.round(age)} s`) : host.heard ? `${host.status}, data ${Math.round(age)} s old` : host.status;
}

// --- dark and light ------------------------------------------------------------------------------------------------

function theme(name) {
  document.documentElement.dataset.theme = name;
  map.colour();
}
const light = matchMedia("(prefers-color-scheme: light)");
light.onchange = () => theme(light.matches ? "light" : "dark");
by("theme").onclick = () => theme(document.documentElement.dataset.theme === "light" ? "dark" : "light");
theme(new URLSearchParams(location.search).get("theme") ?? (light.matches ? "light" : "dark"));

frame();
second();
setInterval(second, 500);
window.natant = { host, map, replay }; // for tests, and for whoever opens the console
