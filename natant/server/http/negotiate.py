"""Which notation a client wants (``Accept``) and which one it sends (``Content-Type``).  RFC 9110, 12.5.1 and 8.3."""

from __future__ import annotations

from typing import Final

__all__ = ["JSON_TYPE", "RECON_TYPE", "STREAM_TYPE", "is_json", "is_recon", "media_type", "wants_recon", "wants_stream"]

JSON_TYPE: Final = "application/json"
RECON_TYPE: Final = "application/recon"
STREAM_TYPE: Final = "text/event-stream"

_RECON: Final = frozenset({"application/recon", "application/x-recon", "text/recon", "text/x-recon"})


def media_type(text: str | None) -> str:
    """The bare media type of a ``Content-Type``, lower case; "" where there is none."""
    return (text or "").partition(";")[0].strip().lower()


def is_recon(media: str) -> bool:
    """True for a media type of Recon."""
    return media in _RECON


def is_json(media: str) -> bool:
    """True for JSON and types built on it."""
    return media == JSON_TYPE or media == "text/json" or (media.startswith("application/") and media.endswith("+json"))


def wants_stream(accept: str | None) -> bool:
    """True where the client asks for server-sent events."""
    return any(media == STREAM_TYPE and quality > 0 for media, quality in _ranges(accept))


def wants_recon(accept: str | None) -> bool:
    """True where Recon is asked for by name and liked at least as much as JSON."""
    recon = json = 0.0
    for media, quality in _ranges(accept):
        if media in _RECON:
            recon = max(recon, quality)
        elif is_json(media):
            json = max(json, quality)
    return recon > 0 and recon >= json


def _ranges(accept: str | None) -> list[tuple[str, float]]:
    """The media ranges of an ``Accept`` header with their quality, 1 where none is given."""
    found: list[tuple[str, float]] = []
    for part in (accept or "").split(","):
        media, *parameters = part.split(";")
        quality = 1.0
        for parameter in parameters:
            name, _, text = parameter.partition("=")
            if name.strip().lower() == "q":
                try:
                    quality = min(max(float(text.strip()), 0.0), 1.0)
                except ValueError:
                    quality = 0.0
        if media.strip():
            found.append((media.strip().lower(), quality))
    return found
