// Instants and durations as people in New York read them, and the clock of the replay.

const ZONE = "America/New_York";
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, weekday: "short", day: "numeric", month: "long", year: "numeric" });
const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, day: "numeric", month: "short" });

export const clockOf = (at) => CLOCK.format(at * 1000);
export const dateOf = (at) => DATE.format(at * 1000);
export const dayOf = (at) => DAY.format(at * 1000);

// The class of a delay in minutes, 0 (on time) to 4 (more than an hour and a half).
export const degree = (delay) => (delay <= 5 ? 0 : delay <= 15 ? 1 : delay <= 45 ? 2 : delay <= 90 ? 3 : 4);

// The replay's own time, between the instants that its events tell.  It runs at the speed seen over the last seconds, is never
// behind an event and never far ahead of the last one, and stands still while nothing is heard.
export class Replay {
  constructor() {
    this.latest = 0;
    this.now = 0;
    this.speed = 0;
    this.marks = [];
    this.last = performance.now();
  }

  hear(at) {
    if (at > this.latest) this.latest = at;
    if (!this.now) this.now = at;
  }

  // Once a frame.
  step() {
    const wall = performance.now();
    const passed = (wall - this.last) / 1000;
    this.last = wall;
    const newest = this.marks.at(-1);
    if (this.latest && (!newest || wall - newest.wall > 500)) {
      this.marks.push({ wall, at: this.latest });
      if (this.marks.length > 24) this.marks.shift();
      const oldest = this.marks[0];
      if (wall - oldest.wall > 1500) this.speed = (this.latest - oldest.at) / ((wall - oldest.wall) / 1000);
    }
    const behind = this.latest - this.now;
    if (behind > this.speed * 3 + 7200) this.now = this.latest;
    else if (behind > -(this.speed * 4 + 300)) {
      this.now += passed * this.speed * (1 + Math.max(-0.5, Math.min(2, behind / (this.speed * 3 + 60))));
    }
    return this.now;
  }
}
