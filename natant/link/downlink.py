"""Downlinks: the near ends of links, one kind a lane shape.

========================================================= ==========================================================
:class:`~natant.link.event_downlink.EventDownlink`        tells each event and keeps nothing
:class:`~natant.link.value_downlink.ValueDownlink`        shows a value
:class:`~natant.link.map_downlink.MapDownlink`            shows entries, as a mapping
:class:`~natant.link.list_downlink.ListDownlink`          shows elements, as a sequence
========================================================= ==========================================================

A downlink is made with its address and forms and then opened by :meth:`natant.link.channel.Channel.open`.
"""

from __future__ import annotations

from natant.link.base import ANY, Downlink, Form, Source
from natant.link.change import Change
from natant.link.event_downlink import EventDownlink
from natant.link.list_downlink import ListDownlink
from natant.link.map_downlink import MapDownlink
from natant.link.state import State
from natant.link.value_downlink import ValueDownlink

__all__ = [
    "ANY",
    "Change",
    "Downlink",
    "EventDownlink",
    "Form",
    "ListDownlink",
    "MapDownlink",
    "Source",
    "State",
    "ValueDownlink",
]
