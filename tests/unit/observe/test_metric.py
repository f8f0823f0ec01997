"""The page for Prometheus."""

from __future__ import annotations

from natant.observe.metric import exposition


def test_counters_and_gauges() -> None:
    text = exposition('a"b\\', {"turns": 3}, {"agents": 2, "uptime_s": 1.5})
    assert text == (
        "# TYPE natant_turns_total counter\n"
        'natant_turns_total{plane="a\\"b\\\\"} 3\n'
        "# TYPE natant_agents gauge\n"
        'natant_agents{plane="a\\"b\\\\"} 2\n'
        "# TYPE natant_uptime_seconds gauge\n"
        'natant_uptime_seconds{plane="a\\"b\\\\"} 1.5\n'
    )
