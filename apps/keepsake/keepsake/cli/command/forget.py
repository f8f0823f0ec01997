"""``keepsake forget``: deletions, with their certificates."""

from __future__ import annotations

from pathlib import Path

import click

from keepsake.agent.value import Forget, Forgotten
from keepsake.cli import option
from keepsake.cli.job import wait_for
from keepsake.cli.option import Reach
from keepsake.cli.show import put, talk

__all__ = ["cli"]


@click.command(
    "forget",
    epilog=option.examples(
        "keepsake forget ada --message whatsapp-1f0c:12",
        "keepsake forget ada --stream mail-77ab",
        "keepsake forget ada --everything",
    ),
)
@click.argument("person")
@click.option("--message", multiple=True, metavar="ID", help="A message; may be repeated.")
@click.option("--stream", default="", metavar="NAME", help="A whole stream.")
@click.option("--everything", is_flag=True, help="The whole person, with the key.")
@click.option(
    "--certificate",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where the certificate goes. [default: stdout]",
)
@option.yes
@option.reach
def cli(
    *,
    person: str,
    message: tuple[str, ...],
    stream: str,
    everything: bool,
    certificate: Path | None,
    is_yes: bool,
    reach: Reach,
) -> None:
    """Delete messages, a stream or a whole person, and prove it.

    Every store, index, model, recording and capsule confirms; then the service searches for what was said, and signs a certificate.
    """
    if bool(message) + bool(stream) + everything != 1:
        raise click.UsageError("it takes one of --message, --stream and --everything")
    what = f"{len(message)} messages" if message else f"the stream {stream}" if stream else f"ALL of {person}"
    if not is_yes:
        click.confirm(f"Delete {what} for good?", abort=True, err=True)
    kind = "message" if message else "stream" if stream else "person"
    node = f"/person/{person}"
    with reach.connect(person) as client:
        name = client.ask(node, "forget", Forget(kind, list(message), stream), of=str)
        done = wait_for(client, node, "forgetting", name, of=Forgotten, what="parts")
    text = "\n".join(done.certificates)
    if certificate is not None:
        certificate.write_text(text + "\n", "utf-8")
    else:
        put(text)
    talk(f"{what}: deleted, every part has confirmed; keepsake verify checks the certificate")
