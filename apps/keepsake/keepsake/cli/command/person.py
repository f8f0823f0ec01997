"""``keepsake person``: who has a memory here.  Works on the data folder, so only for whoever may read the keys."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final, Literal

import click

from keepsake.cli import option
from keepsake.cli.show import put, put_json, talk
from keepsake.key import Ring, Tokens

__all__ = ["cli"]

DAY_S: Final = 86_400.0


@click.group("person")
def cli() -> None:
    """Add people, list them, make their tokens, remove them."""


@cli.command("add", epilog=option.examples("keepsake person add ada"))
@click.argument("person")
@option.data
@option.as_json
def add(person: str, data: Path, is_json: bool) -> None:
    """Add a person: make the key, and a token for a year.

    The token is printed once. Whoever has it reaches all of this person.
    """
    ring = Ring(data / "keys")
    ring.make(person)
    _token(ring, person, "owner", 365.0, "", is_json)


def _token(ring: Ring, person: str, role: Literal["owner", "device"], days: float, device: str, is_json: bool) -> None:
    until = time.time() + days * DAY_S
    token = Tokens(ring).make(person, role, until=until, device=device)
    if is_json:
        put_json({"person": person, "role": role, "device": device, "until": until, "token": token})
    else:
        put(token)


@cli.command("token", epilog=option.examples("keepsake person token ada", "keepsake person token ada --device phone"))
@click.argument("person")
@click.option("--device", default="", help="A token that can capture only, for this device.")
@click.option(
    "--days", default=365.0, show_default=True, type=click.FloatRange(min=0, min_open=True), help="How long it is good."
)
@option.data
@option.as_json
def token(person: str, *, device: str, days: float, data: Path, is_json: bool) -> None:
    """Make another token of a person."""
    ring = Ring(data / "keys")
    ring.key(person)
    _token(ring, person, "device" if device else "owner", days, device, is_json)


@cli.command("revoke")
@click.argument("token")
@option.data
def revoke(token: str, data: Path) -> None:
    """Make a token good no more."""
    Tokens(Ring(data / "keys")).revoke(token)
    talk("revoked; the service knows within a second")


@cli.command("ls")
@option.data
@option.as_json
def ls(data: Path, is_json: bool) -> None:
    """List the people who have a memory here."""
    for person in Ring(data / "keys").people():
        if is_json:
            put_json({"person": person})
        else:
            put(person)
