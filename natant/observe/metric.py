"""Counters in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["exposition"]


def exposition(plane: str, counts: Mapping[str, int], gauges: Mapping[str, float]) -> str:
    """The page that a Prometheus server scrapes.

    :param plane: becomes the label ``plane`` of every sample.
    :param counts: what only grows; ``natant_NAME_total``.
    :param gauges: what goes up and down; ``natant_NAME``.
    """
    escaped = plane.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    label = f'{{plane="{escaped}"}}'
    lines: list[str] = []
    for name, count in sorted(counts.items()):
        lines += [f"# TYPE natant_{name}_total counter", f"natant_{name}_total{label} {count}"]
    for name, number in sorted(gauges.items()):
        metric = f"natant_{name[:-2]}_seconds" if name.endswith("_s") else f"natant_{name}"
        lines += [f"# TYPE {metric} gauge", f"{metric}{label} {number!r}"]
    return "\n".join(lines) + "\n"
