"""The year in order: each event after the one before, none lost at a border of months, none twice after a stop anywhere."""

from __future__ import annotations

from itertools import islice, takewhile

import pytest

from natant import NatantError
from natant.demo.flights import plane, replay, table
from natant.demo.flights.message import Arrival, Departure, Posting

FEBRUARY = 1_359_676_800  # 2013-02-01T00:00Z


def test_events_come_in_order_and_say_when() -> None:
    items = list(islice(replay.replay(), 5_000))
    positions = [int(item.position) for item in items]
    assert positions == sorted(set(positions))
    for item in items:
        assert item.at is not None
        assert replay.instant(int(item.position)) == item.at // 60 * 60


def test_the_first_flight_is_announced_and_leaves_when_the_table_says() -> None:
    items = list(islice(replay.replay(), 800))
    departure = next(item.value for item in items if isinstance(item.value, Departure))
    assert (departure.carrier, departure.number, departure.origin, departure.dest) == ("UA", 1545, "EWR", "IAH")
    assert departure.due == 1_357_035_300  # 05:15 in New York
    assert departure.at == departure.due + 120
    posting = next(item.value for item in items if isinstance(item.value, Posting))
    assert posting.slots[0].due == departure.due
    assert posting.at == departure.due // 3600 * 3600 - 3600
    arrival = next(item.value for item in items if isinstance(item.value, Arrival) and item.value.number == 1545)
    assert arrival.at == 1_357_050_600  # 08:30 in Houston
    assert arrival.delay == 11


@pytest.mark.parametrize("at", [FEBRUARY, FEBRUARY + 3 * 86_400])
def test_going_on_anywhere_gives_the_same_events(at: int) -> None:
    since = replay.position_at(at)
    items = list(islice(replay.replay(since), 400))
    assert items[0].at is not None
    assert at <= items[0].at < at + 3600
    for stop in (0, 257):
        rest = list(islice(replay.replay(int(items[stop].position)), 400 - stop - 1))
        assert rest == items[stop + 1 :]


def test_flights_that_cross_a_border_of_months_arrive() -> None:
    """Everything that leaves in the last hours of January in New York is over in the first of February."""
    begin = replay.position_at(FEBRUARY)
    end = replay.position_at(FEBRUARY + 86_400)
    items = list(takewhile(lambda item: int(item.position) < end, replay.replay(begin)))
    left = {
        (v.carrier, v.number)
        for v in (item.value for item in items)
        if isinstance(v, Departure) and v.at < FEBRUARY + 18_000
    }
    over = {(v.carrier, v.number) for v in (item.value for item in items) if isinstance(v, Arrival)}
    assert left
    assert left <= over


def test_nothing_comes_after_the_end() -> None:
    assert list(replay.replay(replay.position_at(FEBRUARY + 366 * 86_400))) == []


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    table.folder.cache_clear()
    monkeypatch.setattr(table, "find_spec", lambda name: None)
    with pytest.raises(NatantError, match="NT-DEMO-001") as caught:
        table.folder()
    assert 'pip install "natant[flights]"' in caught.value.message
    table.folder.cache_clear()


@pytest.mark.parametrize("text", ["fast", "-1", "inf", "nan", "600x"])
def test_a_speed_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("FLIGHTS_SPEED", text)
    with pytest.raises(NatantError, match="NT-DEMO-002"):
        plane.speed()


def test_the_speed_is_asked_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLIGHTS_SPEED", "0")
    assert plane.speed() == 0
    monkeypatch.delenv("FLIGHTS_SPEED")
    assert plane.speed() == plane.DEFAULT_SPEED


@pytest.mark.parametrize(
    ("text", "instant"),
    [("2013-02-01", FEBRUARY), ("2013-02-01T00:00Z", FEBRUARY), ("2013-02-01T01:00+02:00", FEBRUARY - 3600)],
)
def test_the_beginning_is_an_instant(monkeypatch: pytest.MonkeyPatch, text: str, instant: int) -> None:
    monkeypatch.setenv("FLIGHTS_FROM", text)
    assert plane.begin() == instant


def test_a_beginning_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLIGHTS_FROM", "yesterday")
    with pytest.raises(NatantError, match="NT-DEMO-002"):
        plane.begin()


def test_what_came_before_the_beginning_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLIGHTS_FROM", "2013-01-01T12:00Z")
    items = list(islice(plane.flights(0), 400))
    assert items[0].at is None
    assert items[-1].at is not None
    assert items[-1].at >= 1_357_041_600
