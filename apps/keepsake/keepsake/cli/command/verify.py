"""``keepsake verify``: receipts and certificates, checked with no service."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import click
from cryptography.exceptions import InvalidSignature

from keepsake.cli import option
from keepsake.cli.proof import check_archive
from keepsake.cli.show import put
from keepsake.custody import verify
from keepsake.custody.certificate import read_certificate
from keepsake.errors import KeepsakeError

__all__ = ["cli"]


@click.command(
    "verify", epilog=option.examples("keepsake verify receipt.json --key 9Kc...=", "keepsake verify deleted.json")
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", default="", metavar="BASE64", help="The key that has to have signed a receipt.")
@click.option(
    "--content",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Is this what the record speaks of?",
)
def cli(*, file: Path, key: str, content: Path | None) -> None:
    """Check a receipt or an export, with no service.

    FILE is a receipt (a record of a person's log, with its proof), a deletion's certificate or what keepsake export wrote. keepsake/custody/verify.py checks
    receipts alone, without Keepsake.
    """
    try:
        if zipfile.is_zipfile(file):
            for line in check_archive(file):
                put(line)
            return
        raw = file.read_bytes()
        found = json.loads(raw)
        if isinstance(found, dict) and "proof" in found:
            lines = verify.check(found, key, content.read_bytes() if content else None)
        else:
            said = read_certificate(raw)
            lines = [f"{name}: {value}" for name, value in said.items()]
    except (ValueError, KeyError, TypeError, AttributeError, OSError, InvalidSignature) as error:
        raise KeepsakeError("KS-CLI-010", f"{file} is not proved: {error or 'the signature is false'}") from None
    for line in lines:
        put(line)
