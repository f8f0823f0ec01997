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


def test_figures_of_queues_have_a_label_of_their_own() -> None:
    text = exposition("p", {}, {}, {"asr": {"depth": 2, "oldest_s": 0.5}, "ocr": {"depth": 0, "oldest_s": 0.0}})
    assert text == (
        "# TYPE natant_queue_depth gauge\n"
        'natant_queue_depth{plane="p",queue="asr"} 2\n'
        'natant_queue_depth{plane="p",queue="ocr"} 0\n'
        "# TYPE natant_queue_oldest_seconds gauge\n"
        'natant_queue_oldest_seconds{plane="p",queue="asr"} 0.5\n'
        'natant_queue_oldest_seconds{plane="p",queue="ocr"} 0.0\n'
    )
