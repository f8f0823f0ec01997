"""``/control``: the closed loop.  It hears of delay waves and commands airports, carriers and routes; and it keeps the clock and the map.

A wave begins at an airport: the airport goes on hold, carriers with flights on its board are advised, their routes are flagged.
The wave is over: all that is taken back and the airport recovers.  An hour later, if no new wave came, it is open again.
All of it runs on the flights' own time, so each replay gives the same waves and the same actions.
"""

from __future__ import annotations

from natant import Agent, command, lane
from natant.demo.flights import rule, table
from natant.demo.flights.message import Action, Advice, Clock, Flagged, Loop, Mode, Order, Place, Wave, WaveReport

__all__ = ["Control"]


class Control(Agent, route="/control"):
    """The control of the whole plane; there is one."""

    clock = lane.value(Clock)
    #: all airports of the country; read from the tables at each start
    places = lane.map(str, Place, volatile=True)
    #: the names of the carriers, from the tables too
    carriers = lane.map(str, str, volatile=True)
    #: how each airport that flights leave or reach is run: their own lanes ``mode``
    modes = lane.join_value(str, Mode)
    #: the newest waves, by airport and number
    waves = lane.map(str, Wave, keep=1000)
    #: who was told of the wave that is on at an airport
    told = lane.map(str, WaveReport)
    #: airports in recovery, and since when
    recovering = lane.map(str, int)
    actions = lane.list(Action, keep=60)
    loop = lane.value(Loop, default=Loop())

    def on_start(self) -> None:
        """Draw the map."""
        for code, airport in table.airports().items():
            self.places[code] = airport.place
        for code, name in table.carriers().items():
            self.carriers[code] = name

    @command
    def enroll(self, code: str) -> None:
        """An airport has come to life: watch it."""
        self.modes.join(code, f"/airport/{code}", "mode")

    @command
    def tick(self, clock: Clock) -> None:
        """An hour begins."""
        self.clock = clock
        for code, since in list(self.recovering.items()):
            if clock.at - since >= rule.RECOVERY_S:
                del self.recovering[code]
                self._order(code, "open", clock.at)

    # part: report
    @command
    def report(self, report: WaveReport) -> None:
        """A wave began or is over at an airport."""
        code, wave = report.airport, report.wave
        self.waves[f"{code} {wave.number:04}"] = wave
        is_on = not wave.end
        if is_on:
            self.told[code] = report
            self.recovering.pop(code, None)
            concerned, at = report, wave.begin
        else:
            concerned, at = self.told.pop(code, report), wave.end
            self.recovering[code] = at
        for carrier in concerned.carriers:
            self.send(f"/carrier/{carrier}", "advise", Advice(code, at, is_on))
        for dest in concerned.dests:
            self.send(f"/route/{code}/{dest}", "mark", Flagged(is_on, at))
        self._order(code, "hold" if is_on else "recovery", at, concerned)

    # end: report

    def _order(self, code: str, mode: str, at: int, concerned: WaveReport | None = None) -> None:
        self.send(f"/airport/{code}", "obey", Order(mode, at))
        carriers = len(concerned.carriers) if concerned is not None else 0
        routes = len(concerned.dests) if concerned is not None else 0
        peak = concerned.wave.peak if concerned is not None else 0
        self.actions.append(Action(at, code, mode, carriers, routes, peak))
        loop = self.loop
        self.loop = Loop(
            loop.holds + (mode == "hold"),
            loop.recoveries + (mode == "recovery"),
            loop.openings + (mode == "open"),
            loop.advices + carriers,
            loop.flags + routes,
        )
