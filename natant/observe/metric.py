"""Counters in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["exposition"]


def exposition(
    plane: str,
    counts: Mapping[str, int],
    gauges: Mapping[str, float],
    queues: Mapping[str, Mapping[str, float]] | None = None,
) -> str:
    """The page that a Prometheus server scrapes.

    :param plane: becomes the label ``plane`` of every sample.
    :param counts: what only grows; ``natant_NAME_total``.
    :param gauges: what goes up and down; ``natant_NAME``.
    :param queues: figures of work queues by the name of the queue, which becomes a label; ``natant_queue_NAME``.
    """
    escaped = plane.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    label = f'{{plane="{escaped}"}}'
    lines: list[str] = []
    for name, count in sorted(counts.items()):
        lines += [f"# TYPE natant_{name}_total counter", f"natant_{name}_total{label} {count}"]
    for name, number in sorted(gauges.items()):
        metric = _metric(name)
        lines += [f"# TYPE {metric} gauge", f"{metric}{label} {number!r}"]
    for name in sorted({name for figures in (queues or {}).values() for name in figures}):
        metric = _metric(f"queue_{name}")
        lines.append(f"# TYPE {metric} gauge")
        for queue, figures in sorted((queues or {}).items()):  # names of queues need no escaping
            lines.append(f'{metric}{{plane="{escaped}",queue="{queue}"}} {figures[name]!r}')
    return "\n".join(lines) + "\n"


def _metric(name: str) -> str:
    return f"natant_{name[:-2]}_seconds" if name.endswith("_s") else f"natant_{name}"
