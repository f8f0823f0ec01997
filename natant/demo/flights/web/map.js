// The map: every airport of the country as a faint dot, ways that are being flown, planes on them, a ring where one lands.

import { clockOf, degree } from "./time.js";
import { fit, wayOf } from "./projection.js";

const ORIGINS = ["EWR", "JFK", "LGA"];
const RING_MS = 1600;
const RINGS = 120;
// A plane that is so much later than expected has been lost sight of.
const LOST_S = 3 * 3600;
// How much of its way a plane draws behind it.
const TRAIL = 0.09;

export class FlightMap {
  constructor(section) {
    [this.ground, this.sky] = section.querySelectorAll("canvas");
    this.tip = section.querySelector("#tip");
    this.section = section;
    this.places = new Map();
    this.planes = new Map();
    this.modes = new Map();
    this.rings = [];
    this.ways = new Map();
    this.now = 0;
    new ResizeObserver(() => this.layOut()).observe(section);
    section.addEventListener("pointermove", (event) => this.point(event));
    section.addEventListener("pointerleave", () => (this.tip.hidden = true));
    const legend = section.querySelector("#legend");
    ["on time", "15", "45", "90 min", "later"].forEach((text, d) => {
      legend.insertAdjacentHTML("beforeend", `<span><i style="background:var(--d${d})"></i>${text}</span>`);
    });
    this.colour();
  }

  colour() {
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(
      ["dot", "soft", "text", "faint", "panel", "d0", "d1", "d2", "d3", "d4"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
    this.layOut();
  }

  place(code, place) {
    this.places.set(code, { code, ...place });
    clearTimeout(this.due);
    this.due = setTimeout(() => this.layOut(), 30);
  }

  // A plane's status has changed.
  plane(tail, status) {
    const before = this.planes.get(tail);
    if (status?.state === "air") this.planes.set(tail, { tail, ...status });
    else {
      this.planes.delete(tail);
      if (before && status?.state === "ground" && this.rings.length < RINGS) {
        this.rings.push({ code: status.dest, begin: performance.now(), d: degree(status.delay) });
      }
    }
  }

  layOut() {
    const { clientWidth: width, clientHeight: height } = this.section;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.ground, this.sky]) {
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.width = width;
    this.height = height;
    const at = fit([...this.places.values()], width, height);
    this.at = new Map();
    for (const [code, place] of this.places) {
      const point = at(place);
      if (point) this.at.set(code, point);
    }
    this.locate = at;
    this.ways.clear();
    const pen = this.ground.getContext("2d");
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = this.colours.dot;
    const size = Math.max(1.2, Math.min(2, width / 500));
    for (const [x, y] of this.at.values()) pen.fillRect(x - size / 2, y - size / 2, size, size);
  }

  way(origin, dest) {
    const name = `${origin} ${dest}`;
    let way = this.ways.get(name);
    if (way === undefined) {
      const [a, b] = [this.places.get(origin), this.places.get(dest)];
      way = a && b ? wayOf(a, b, this.locate) : null;
      if (a && b) this.ways.set(name, way);
    }
    return way;
  }

  flying() {
    return [...this.planes.values()].filter((plane) => this.now < plane.expected + LOST_S);
  }

  draw(now) {
    this.now = now;
    const pen = this.sky.getContext("2d");
    pen.clearRect(0, 0, this.width, this.height);
    const flying = this.flying();
    this.drawWays(pen, flying);
    this.drawRings(pen);
    this.spots = [];
    for (const plane of flying) this.drawPlane(pen, plane);
    this.drawNames(pen, flying);
    return flying.length;
  }

  drawWays(pen, flying) {
    const counts = new Map();
    for (const { origin, dest } of flying) {
      const way = this.way(origin, dest);
      if (way) counts.set(way, (counts.get(way) ?? 0) + 1);
    }
    pen.strokeStyle = this.colours.soft;
    for (const [way, count] of counts) {
      pen.globalAlpha = Math.min(0.4, 0.1 + 0.05 * count);
      pen.lineWidth = 0.8;
      pen.beginPath();
      way.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  drawPlane(pen, plane) {
    const way = this.way(plane.origin, plane.dest);
    if (!way) return;
    const length = Math.max(600, plane.expected - plane.at);
    const f = Math.max(0, Math.min(0.985, (this.now - plane.at) / length));
    const [x, y] = along(way, f);
    const [bx, by] = along(way, Math.max(0, f - 0.015));
    const colour = this.colours[`d${degree(plane.delay)}`];
    const back = Math.max(0, f - TRAIL);
    const trail = [];
    for (let i = 0; i <= 4; i++) trail.push(along(way, back + ((f - back) * i) / 4));
    pen.strokeStyle = colour;
    pen.lineWidth = 1.6;
    for (let i = 1; i < trail.length; i++) {
      pen.globalAlpha = 0.16 * i;
      pen.beginPath();
      pen.moveTo(...trail[i - 1]);
      pen.lineTo(...trail[i]);
      pen.stroke();
    }
    pen.globalAlpha = 1;
    const turn = Math.atan2(y - by, x - bx);
    pen.fillStyle = colour;
    pen.beginPath();
    for (const [angle, size] of [[0, 5.2], [2.55, 4], [-2.55, 4]]) {
      pen.lineTo(x + Math.cos(turn + angle) * size, y + Math.sin(turn + angle) * size);
    }
    pen.fill();
    this.spots.push({ x, y, plane });
  }

  drawRings(pen) {
    const now = performance.now();
    this.rings = this.rings.filter((ring) => now - ring.begin < RING_MS);
    pen.lineWidth = 1.4;
    for (const ring of this.rings) {
      const at = this.at.get(ring.code);
      if (!at) continue;
      const f = (now - ring.begin) / RING_MS;
      pen.globalAlpha = 0.8 * (1 - f);
      pen.strokeStyle = this.colours[`d${ring.d}`];
      pen.beginPath();
      pen.arc(at[0], at[1], 3 + 11 * f, 0, 7);
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  // Codes of the airports that most flights are bound for, where there is room for them.
  drawNames(pen, flying) {
    pen.lineJoin = "round";
    const counts = new Map(ORIGINS.map((code) => [code, 1e6]));
    for (const { dest } of flying) counts.set(dest, (counts.get(dest) ?? 0) + 1);
    const taken = [];
    pen.font = "10.5px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const pulse = 0.55 + 0.45 * Math.sin(performance.now() / 380);
    for (const [code] of [...counts].sort((a, b) => b[1] - a[1])) {
      const at = this.at.get(code);
      if (!at) continue;
      const [x, y] = at;
      const isHome = ORIGINS.includes(code);
      const mode = this.modes.get(code)?.mode;
      pen.fillStyle = mode === "hold" ? this.colours.d4 : this.colours.text;
      pen.beginPath();
      pen.arc(x, y, isHome ? 2.6 : 1.9, 0, 7);
      pen.fill();
      if (mode === "hold") {
        pen.globalAlpha = pulse;
        pen.strokeStyle = this.colours.d4;
        pen.lineWidth = 1.6;
        pen.beginPath();
        pen.arc(x, y, 8, 0, 7);
        pen.stroke();
        pen.globalAlpha = 1;
      }
      const width = pen.measureText(code).width;
      const left = isHome && code !== "JFK" && code !== "LGA" ? x - width - 6 : x + 6;
      const top = code === "JFK" ? y + 7 : code === "LGA" ? y - 7 : y;
      const box = [left - 2, top - 7, left + width + 2, top + 7];
      const isFree = box[0] > 0 && box[2] < this.width && !taken.some((b) => b[0] < box[2] && box[0] < b[2] && b[1] < box[3] && box[1] < b[3]);
      if (!isFree) continue;
      taken.push(box);
      pen.strokeStyle = this.colours.panel;
      pen.lineWidth = 3;
      pen.strokeText(code, left, top);
      pen.fillStyle = isHome ? this.colours.text : this.colours.soft;
      pen.fillText(code, left, top);
    }
  }

  point(event) {
    const box = this.section.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    for (const spot of this.spots ?? []) {
      const distance = Math.hypot(spot.x - x, spot.y - y);
      if (distance < (best?.distance ?? 13)) best = { ...spot, distance };
    }
    this.tip.hidden = !best;
    if (!best) return;
    const { plane } = best;
    const place = this.places.get(plane.dest);
    this.tip.innerHTML =
      `<b>${plane.carrier} ${plane.number}</b> ${plane.origin} to ${plane.dest} <span>${place?.name ?? ""}</span><br>` +
      `<span>${plane.tail}, leg ${plane.legs} of its day, left ${clockOf(plane.at)}, ${said(plane.delay)}</span>`;
    this.tip.style.left = `${Math.min(x + 14, this.width - this.tip.offsetWidth - 8)}px`;
    this.tip.style.top = `${Math.max(6, y - this.tip.offsetHeight - 10)}px`;
  }
}

const said = (delay) => (delay > 0 ? `${delay} min late` : delay < 0 ? `${-delay} min early` : "on time");

function along(way, f) {
  const place = f * (way.length - 1);
  const i = Math.min(way.length - 2, Math.floor(place));
  const rest = place - i;
  return [way[i][0] + (way[i + 1][0] - way[i][0]) * rest, way[i][1] + (way[i + 1][1] - way[i][1]) * rest];
}
