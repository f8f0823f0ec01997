"""``keepsake ask``: a question to a person's memories."""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

import click

from keepsake.agent.value import Ask, Rating
from keepsake.cli import option
from keepsake.cli.moment import moment
from keepsake.cli.option import Reach
from keepsake.cli.show import day, paint, put, put_json, talk
from keepsake.errors import KeepsakeError
from keepsake.record import Answer

__all__ = ["cli"]

#: another person's agent answers within
OTHER_S: Final = 30.0


@click.command(
    "ask",
    epilog=option.examples(
        'keepsake ask ada "When was the footbridge opened?"',
        'keepsake ask ben "What did Ada say about the floor?" --about ada --grant ks...',
    ),
)
@click.argument("person")
@click.argument("question")
@click.option("--about", default="", metavar="OTHER", help="Ask another person's memories, within a grant.")
@click.option("--grant", default="", metavar="TOKEN", help="The grant under which OTHER is asked.")
@click.option("--as-of", metavar="TIME", help="Only what was said until then counts.")
@click.option("--limit", default=3, show_default=True, type=click.IntRange(1, 20), help="Memories to quote.")
@click.option(
    "--style",
    default="quote",
    show_default=True,
    type=click.Choice(["quote", "prose", "mentor"]),
    help="How to answer.",
)
@click.option(
    "--zone", default="UTC", show_default=True, envvar="TZ", help="The time zone in which yesterday is meant."
)
@click.option(
    "--right", "right", multiple=True, type=click.IntRange(1), help="Say that this memory answers it; the model learns."
)
@click.option("--unknowable", is_flag=True, help="Say that nothing said could answer it; the model learns.")
@option.reach
@option.as_json
def cli(
    *,
    person: str,
    question: str,
    about: str,
    grant: str,
    as_of: str | None,
    limit: int,
    style: str,
    zone: str,
    right: tuple[int, ...],
    unknowable: bool,
    reach: Reach,
    is_json: bool,
) -> None:
    """Ask a person's memories.

    The answer quotes who said what and when, or says that it is not known. It is put together by an AI, and says so.
    """
    node = f"/person/{person}/question/{secrets.token_hex(8)}"
    until = moment(as_of, time.time()) if as_of else None
    with reach.connect(person) as client:
        what = Ask(question, about, until, limit, grant, style, zone)
        begun = time.perf_counter()
        answer = client.ask(node, "ask", what, of=Answer | None)
        if answer is None:
            answer = _others(client, node)
        took = time.perf_counter() - begun
        if right or unknowable:
            chosen = [answer.citations[number - 1].memory for number in right if number <= len(answer.citations)]
            client.ask(node, "rate", Rating(chosen, is_unknowable=unknowable))
    if is_json:
        put_json({"question": question, "took_s": round(took, 4), "answer": answer})
    else:
        _show(answer)


def _others(client: Any, node: str) -> Answer:
    """What another person's agent answers."""
    state = client.value(node, "state", str).synced()
    limit = time.monotonic() + OTHER_S
    while state.get() == "asked":
        if time.monotonic() > limit:
            raise KeepsakeError("KS-CLI-009", f"the other person's agent has not answered {node} in {OTHER_S:.0f} s")
        time.sleep(0.02)
    if state.get() == "refused":
        code, _, message = str(client.get(node, "refusal", str)).partition("  ")
        raise KeepsakeError(code, message)
    answer = client.get(node, "answer", Answer | None)
    assert isinstance(answer, Answer)
    return answer


def _show(answer: Answer) -> None:
    put(answer.text)
    for number, citation in enumerate(answer.citations, 1):
        where = " / ".join(filter(None, (citation.source.app, citation.source.channel, citation.source.title)))
        who = citation.speaker or "the person"
        date = f", {citation.date}" if citation.date else ""
        put(
            paint(f"  [{number}] {who}, said {day(citation.said_at)}{date}", "cyan") + (f"  ({where})" if where else "")
        )
        put(f"      {citation.text}")
    for sentence in answer.unsupported:
        put(paint(f"  no memory bears this out: {sentence}", "yellow"))
    talk(f"sure {answer.confidence:.0%}; {answer.label}")
