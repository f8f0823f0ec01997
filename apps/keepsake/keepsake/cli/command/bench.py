"""``keepsake bench``: measurements.  Figures go to stdout, with what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keepsake.cli import option
from keepsake.cli.show import Progress, put, put_json

__all__ = ["cli"]


@click.group("bench")
def cli() -> None:
    """Measure recall, sound, models and loads."""


def _tell(figures: dict[str, Any], *, is_json: bool) -> None:
    if is_json:
        put_json(figures)
        return
    for name, value in figures.items():
        put(f"{name:20}  {value if not isinstance(value, dict) else ''}".rstrip())
        if isinstance(value, dict):
            for inner, content in value.items():
                put(f"  {inner:20}  {content}")


@cli.command("locomo", epilog=option.examples("KEEPSAKE_LOCOMO=data keepsake bench locomo --json"))
@click.option(
    "--folder",
    envvar="KEEPSAKE_LOCOMO",
    default=".",
    type=click.Path(path_type=Path),
    help="Where LoCoMo is; or set $KEEPSAKE_LOCOMO.",
)
@click.option("--words-only", is_flag=True, help="Without vectors, as on a small edge.")
@option.as_json
def locomo(*, folder: Path, words_only: bool, is_json: bool) -> None:
    """Measure recall, dates and refusals on LoCoMo, your own download.

    Nothing of Keepsake is trained on it. The output says how each figure is defined.
    """
    from keepsake.bench.locomo import measure, talks

    conversations = talks(folder)
    if words_only:
        _tell(measure(conversations, None), is_json=is_json)
        return
    from keepsake.vector.minilm import MiniLM

    _tell(measure(conversations, MiniLM()), is_json=is_json)


@cli.command("model", epilog=option.examples("keepsake bench model", "keepsake bench model --messages 5000 --json"))
@click.option(
    "--messages",
    default=100_000,
    show_default=True,
    type=click.IntRange(1_000, 1_000_000),
    help="Of the made-up person.",
)
@option.as_json
def model(*, messages: int, is_json: bool) -> None:
    """Make all of a made-up person anew from messages, and tell what each part of the model gains by learning.

    Takes minutes for each 10,000 messages; the data lies in a temporary folder and is removed.
    """
    from tempfile import TemporaryDirectory

    from keepsake.bench.model import measure

    with TemporaryDirectory(prefix="keepsake-bench-") as folder, Progress("messages", 1.0) as bar:
        figures = measure(Path(folder), messages, lambda share, what: bar.show(share, round(share * messages), what))
    _tell(figures, is_json=is_json)


@cli.command("sound", epilog=option.examples("keepsake bench sound --model tiny.en"))
@click.option(
    "--model",
    default="base",
    show_default=True,
    type=click.Choice(["base", "tiny.en"]),
    help="Which Whisper hears.",
)
@option.as_json
def sound(*, model: str, is_json: bool) -> None:
    """Measure how well and how fast speech is heard, with one thread.

    Takes a minute or two. Wants Debian's pocketsphinx-testdata (recorded speech), flite and espeak-ng (names).
    """
    from keepsake.bench.sound import measure

    with Progress("figures", 4) as bar:
        done = iter(range(4))
        figures = measure(f"whisper-{model}", tell=lambda what: bar.show(next(done) / 4, 0, what))
    _tell(figures, is_json=is_json)


@cli.command("edge", epilog=option.examples("keepsake bench edge"))
@click.option("--messages", default=2_000, show_default=True, type=click.IntRange(100, 100_000), help="That are kept.")
@option.as_json
def edge(*, messages: int, is_json: bool) -> None:
    """Measure the memory that processes on a small machine take.

    Wants Debian's pocketsphinx-testdata (recorded speech).
    """
    from keepsake.bench.edge import measure

    _tell(measure(messages), is_json=is_json)
