// The panels beside the map: the last hour at each airport, what the control does, the carriers.

import { clockOf, dayOf, degree } from "./time.js";

const GAUGE_MIN = 80;
const WAVE_MIN = 40;

const make = (tag, className = "", text = "") => Object.assign(document.createElement(tag), { className, textContent: text });
const whole = (value) => Math.round(value).toLocaleString("en-US");

// The rolling window, the weather and the mode of one airport.
export class AirportPanel {
  constructor(section, code) {
    this.root = make("div", "airport");
    this.said = make("div", "said");
    this.mode = make("span", "mode", "open");
    this.gauge = make("div", "gauge");
    this.bar = make("i");
    const mark = make("u");
    mark.style.left = `${(100 * WAVE_MIN) / GAUGE_MIN}%`;
    mark.title = "a delay wave begins here";
    this.gauge.append(this.bar, mark);
    this.root.append(make("b", "", code), this.said, this.mode, this.gauge);
    section.append(this.root);
    this.window = { flights: 0, delay: 0 };
    this.weather = null;
  }

  refresh() {
    const { flights, delay } = this.window;
    const mean = flights ? delay / flights : 0;
    this.bar.style.width = `${Math.max(0, Math.min(100, (100 * mean) / GAUGE_MIN))}%`;
    this.bar.style.background = `var(--d${degree(mean)})`;
    this.said.innerHTML = `<em>${flights}</em> in the last hour, <em>${mean.toFixed(0)}</em> min late${sky(this.weather)}`;
    this.said.title = this.said.textContent;
  }

  run({ mode }) {
    this.mode.textContent = mode;
    this.mode.className = `mode ${mode}`;
  }
}

function sky(weather) {
  if (!weather) return "";
  const parts = [];
  if (weather.temperature !== null) parts.push(`${Math.round(((weather.temperature - 32) * 5) / 9)}\u202f\u00b0C`);
  const wind = Math.max(weather.wind ?? 0, weather.gust ?? 0);
  if (wind >= 24) parts.push(`wind ${Math.round(wind)} mph`);
  if (weather.rain) parts.push(weather.temperature !== null && weather.temperature <= 34 ? "snow" : "rain");
  if (weather.visibility !== null && weather.visibility < 2) parts.push("fog");
  return parts.length ? `; ${parts.join(", ")}` : "";
}

// The actions of the control, the newest first.
export class LoopPanel {
  constructor(section) {
    this.list = section.querySelector("ol");
    this.count = section.querySelector("#waves");
    this.newest = 0;
  }

  show(actions) {
    const newest = this.newest;
    this.list.textContent = "";
    for (const action of [...actions].reverse()) {
      const item = make("li", action.what + (newest && action.at > newest ? " fresh" : ""));
      const what = make("span");
      what.append(make("b", "", action.what), ` ${told(action)}`);
      item.append(make("time", "", `${dayOf(action.at)} ${clockOf(action.at)}`), make("span", "", action.airport), what);
      this.list.append(item);
      this.newest = Math.max(this.newest, action.at);
    }
  }

  total({ holds, advices, flags }) {
    this.count.textContent = `${whole(holds)} so far, ${whole(advices)} advices, ${whole(flags)} flags`;
  }
}

function told({ what, carriers, routes, mean }) {
  if (what === "hold") return `${mean} min late on average: ${carriers} carriers advised, ${routes} routes flagged`;
  if (what === "recovery") return `over: ${carriers} carriers and ${routes} routes released`;
  return "no new wave for an hour";
}

// One line a carrier; the busiest first.
export class CarrierPanel {
  constructor(section) {
    this.body = section.querySelector("tbody");
    this.carriers = new Map();
  }

  add(code, name) {
    if (this.carriers.has(code)) return;
    const row = document.createElement("tr");
    const first = make("td");
    first.append(make("b", "", code), make("span", "", name.replace(/ (Inc\.?|Co\.?|Airlines|Air Lines|Airways|Corporation|Air).*$/, "")), make("mark"));
    row.append(first, ...Array.from({ length: 6 }, () => make("td")));
    row.title = name;
    this.body.append(row);
    this.carriers.set(code, { row, mark: first.lastChild, tally: null, flying: 0, advisories: new Set() });
  }

  // Sums over all carriers.
  refresh(flying) {
    const sum = { flights: 0, cancelled: 0, departed: 0, delay: 0 };
    for (const [code, carrier] of this.carriers) {
      const { tally, row, mark, advisories } = carrier;
      carrier.flying = flying.get(code) ?? 0;
      mark.textContent = advisories.size ? `mind ${[...advisories].sort().join(" ")}` : "";
      if (!tally) continue;
      const departed = tally.flights - tally.cancelled;
      const arrived = departed - tally.diverted;
      sum.flights += tally.flights;
      sum.cancelled += tally.cancelled;
      sum.departed += departed;
      sum.delay += tally.departure_delay;
      const [dep, arr] = [mean(tally.departure_delay, departed), mean(tally.arrival_delay, arrived)];
      const texts = [
        whole(tally.flights),
        carrier.flying || "",
        percent(tally.late, departed),
        departed ? dep.toFixed(1) : "",
        arrived ? arr.toFixed(1) : "",
        tally.cancelled ? percent(tally.cancelled, tally.flights) : "",
      ];
      texts.forEach((text, i) => {
        const cell = row.children[i + 1];
        if (cell.textContent !== String(text)) cell.textContent = text;
      });
      row.children[4].style.color = `var(--d${degree(dep)})`;
      row.children[5].style.color = `var(--d${degree(arr)})`;
    }
    const rows = [...this.carriers.values()].sort((a, b) => (b.tally?.flights ?? 0) - (a.tally?.flights ?? 0));
    if (rows.some(({ row }, i) => this.body.children[i] !== row)) this.body.append(...rows.map(({ row }) => row));
    return sum;
  }
}

const mean = (total, count) => (count > 0 ? total / count : 0);
const percent = (part, all) => (all > 0 ? `${((100 * part) / all).toFixed(part / all < 0.0995 ? 1 : 0)}%` : "");
