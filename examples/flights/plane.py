"""The flights of 2013, as a file that ``natant run examples/flights/plane.py`` serves.  The code is ``natant/demo/flights``."""

from natant.demo.flights.plane import plane

__all__ = ["plane"]
