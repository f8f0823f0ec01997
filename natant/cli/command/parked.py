"""``natant parked``: work that failed, by the built-in lanes ``parked``, ``parked.retry`` and ``parked.drop`` of each agent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from natant.cli import option
from natant.cli.confirm import confirm
from natant.cli.remote import Remote
from natant.cli.send import send_acknowledged
from natant.cli.show import cell_text, put, put_json, put_table, talk, wants_progress
from natant.cli.target import Target, host_of, take_node, words_only
from natant.cli.value import JSON_TYPE, Sent
from natant.errors import ClientError

__all__ = ["cli"]


@click.group("parked", context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Look at work that failed; do it again, or drop it.

    A handler that raises is rolled back, and its input and the cause are kept in the agent's lane "parked".
    """


@cli.command("ls", epilog=option.examples("natant parked ls /vehicle/7", "natant parked ls --under /vehicle/"))
@click.argument("words", metavar="[NODE | URL]", nargs=-1)
@click.option("--under", metavar="PREFIX", help="All agents whose URI begins so. It brings each of them to life.")
@option.at
@option.as_json
def ls(words: tuple[str, ...], under: str | None, at: str | None, is_json: bool) -> None:
    """List what is parked at a node, or below a prefix."""
    if bool(words) == (under is not None):
        raise click.UsageError("name a NODE, or a prefix with --under")
    if words:
        target, rest = take_node(words, at)
        words_only(rest, 0)
        address = target.address
    else:
        target, address = None, host_of(at)
    rows = []
    with Remote(address) as remote:
        nodes = [target.node] if target is not None else _nodes(remote, under or "/")
        for node in nodes:
            for name, entry in _entries(remote, node).items():
                if is_json:
                    put_json({"node": node, "parked": name, **entry})
                rows.append([node, name, _what(entry), entry.get("code"), entry.get("message"), _when(entry)])
    if not is_json:
        put_table(["node", "name", "what", "code", "message", "when"], rows)
    if not rows:
        talk("nothing is parked")


@cli.command("show", epilog=option.examples("natant parked show /vehicle/7 p1700000000000-00001"))
@click.argument("words", metavar="NODE NAME", nargs=-1, required=True)
@option.at
@option.as_json
def show(words: tuple[str, ...], at: str | None, is_json: bool) -> None:
    """Show one failure with its input."""
    target, name = _entry(words, at)
    with Remote(target.address) as remote:
        entry = _entries(remote, target.node).get(name)
    if entry is None:
        raise ClientError(
            "NT-CLI-010", f"{target.node} has nothing parked as {name!r}; natant parked ls {target.node} lists it"
        )
    if is_json:
        put_json({"node": target.node, "parked": name, **entry})
        return
    width = max(map(len, entry))
    for field, value in entry.items():
        put(f"{field.ljust(width)}  {_when(entry) if field == 'at' else cell_text(value)}")


@cli.command("retry", epilog=option.examples("natant parked retry /vehicle/7 p1700000000000-00001"))
@click.argument("words", metavar="NODE NAME", nargs=-1, required=True)
@click.option("--all", "is_all", is_flag=True, help="All that is parked at the node, oldest first.")
@option.at
@option.as_json
def retry(words: tuple[str, ...], is_all: bool, at: str | None, is_json: bool) -> None:
    """Do parked work again.

    It leaves the lane; where it fails again it is parked anew.
    """
    for target, name in _chosen(words, at, is_all):
        _act(target, "parked.retry", name, is_json)


@cli.command("drop", epilog=option.examples("natant parked drop /vehicle/7 --all --yes"))
@click.argument("words", metavar="NODE NAME", nargs=-1, required=True)
@click.option("--all", "is_all", is_flag=True, help="All that is parked at the node.")
@option.yes
@option.at
@option.as_json
def drop(words: tuple[str, ...], is_all: bool, yes: bool, at: str | None, is_json: bool) -> None:
    """Forget parked work, with its input."""
    chosen = _chosen(words, at, is_all)
    if chosen:
        names = ", ".join(name for _, name in chosen[:3]) + (", ..." if len(chosen) > 3 else "")
        confirm(f"forget {len(chosen)} parked of {chosen[0][0].node} ({names})?", is_yes=yes)
    for target, name in chosen:
        _act(target, "parked.drop", name, is_json)


def _act(target: Target, lane: str, name: str, is_json: bool) -> None:
    send_acknowledged(target._replace(lane=lane), Sent(msgspec.json.encode(name), JSON_TYPE), None, is_json)


def _entry(words: tuple[str, ...], at: str | None) -> tuple[Target, str]:
    target, rest = take_node(words, at)
    rest = words_only(rest, 1)
    if not rest:
        raise click.UsageError(f"which one of {target.node}? natant parked ls {target.node} lists them")
    return target, rest[0]


def _chosen(words: tuple[str, ...], at: str | None, is_all: bool) -> list[tuple[Target, str]]:
    if not is_all:
        return [_entry(words, at)]
    target, rest = take_node(words, at)
    words_only(rest, 0)
    with Remote(target.address) as remote:
        names = list(_entries(remote, target.node))
    if not names:
        talk("nothing is parked")
    return [(target, name) for name in names]


def _entries(remote: Remote, node: str) -> dict[str, dict[str, Any]]:
    return dict(remote.read(node, "parked").json() or {})


def _nodes(remote: Remote, prefix: str) -> Iterator[str]:
    """The nodes below a prefix, with a line that tells how far it is."""
    count = 0
    for count, found in enumerate(list(remote.nodes(prefix)), 1):
        if wants_progress() and count % 100 == 0:
            click.echo(f"\r{count} agents looked at", err=True, nl=False)
        yield found["node"]
    if wants_progress() and count >= 100:
        click.echo("\r" + " " * 40 + "\r", err=True, nl=False)


def _what(entry: dict[str, Any]) -> str:
    return f"{entry.get('name')}({cell_text(entry.get('input'))})"


def _when(entry: dict[str, Any]) -> str:
    at_ms = entry.get("at")
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(" ", "seconds") if isinstance(at_ms, int) else "-"
