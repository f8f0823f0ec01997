// The departures of one airport: flights that are due, late, gone or cancelled; a line turns over when it changes.

import { clockOf } from "./time.js";

const HEIGHT = 24;
const REFRESH_MS = 400;
// How long a line stays after its flight has gone, or would have.
const GONE_S = 12 * 60;
const SCRUBBED_S = 45 * 60;

export class Board {
  constructor(section, airports, places) {
    this.places = places;
    this.flights = new Map(airports.map((code) => [code, new Map()]));
    this.rows = section.querySelector(".rows");
    this.lines = new Map();
    this.now = 0;
    const nav = section.querySelector("nav");
    this.buttons = airports.map((code) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: code });
      button.onclick = () => this.show(code);
      nav.append(button);
      return button;
    });
    this.show(airports[0]);
    setInterval(() => this.refresh(), REFRESH_MS);
  }

  show(code) {
    this.code = code;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.textContent === code));
    this.lines.clear();
    this.rows.textContent = "";
    this.refresh();
  }

  update(code, line, row) {
    this.flights.get(code).set(line, row);
  }

  remove(code, line) {
    this.flights.get(code).delete(line);
  }

  clear(code) {
    this.flights.get(code).clear();
  }

  isShown({ status, due, delay }) {
    if (status === "departed") return this.now < due + delay * 60 + GONE_S;
    if (status === "cancelled") return this.now < due + SCRUBBED_S;
    return true;
  }

  remark({ status, due, delay }) {
    if (status === "departed") return delay > 15 ? [`departed +${delay}`, "late"] : ["departed", "off"];
    if (status === "cancelled") return ["cancelled", "scrub"];
    const wait = (this.now - due) / 60;
    return wait > 10 ? ["delayed", "wait"] : wait > -20 ? ["boarding", "off"] : ["on time", "due"];
  }

  refresh() {
    const room = Math.max(1, Math.floor(this.rows.clientHeight / HEIGHT));
    const wanted = [...this.flights.get(this.code)]
      .filter(([, row]) => this.isShown(row))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, room);
    const keys = new Set(wanted.map(([line]) => line));
    for (const [line, element] of this.lines) {
      if (keys.has(line)) continue;
      this.lines.delete(line);
      element.classList.add("gone");
      setTimeout(() => element.remove(), 500);
    }
    wanted.forEach(([line, row], place) => {
      let element = this.lines.get(line);
      if (!element) {
        element = this.make(row);
        this.lines.set(line, element);
        this.rows.append(element);
      }
      element.style.transform = `translateY(${place * HEIGHT}px)`;
      const [text, style] = this.remark(row);
      const remark = element.lastChild;
      if (remark.textContent !== text) {
        remark.textContent = text;
        remark.className = "";
        void remark.offsetWidth; // so that the animation starts again
        remark.className = `${style} flip`;
      }
    });
  }

  make(row) {
    const element = document.createElement("div");
    element.className = "row";
    const name = (this.places.get(row.dest)?.name ?? row.dest).replace(/ (Intl|International|Rgnl|Airport)\b.*/, "");
    for (const text of [clockOf(row.due), `${row.carrier} ${row.number}`, name, ""]) {
      const cell = document.createElement("span");
      cell.textContent = text;
      cell.className = "flip";
      element.append(cell);
    }
    element.children[2].insertAdjacentHTML("beforeend", "<small></small>");
    element.children[2].lastChild.textContent = row.dest;
    return element;
  }
}
