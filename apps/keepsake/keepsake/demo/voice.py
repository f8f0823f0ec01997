"""Speech for the demo, made by a voice of this machine: espeak-ng or flite, Debian packages of these names."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["find_voice", "speak"]

#: for one memo
SPEAK_S: Final = 60.0


def find_voice() -> str | None:
    """The program that speaks here: ``flite`` where it is there, as people understand it better, else ``espeak-ng``, else none."""
    return next((name for name in ("flite", "espeak-ng") if shutil.which(name)), None)


def speak(text: str, voices: tuple[str, str], path: Path) -> None:
    """Speak a text into a WAV file.

    :param voices: of espeak-ng and of flite.
    :raises OSError: where no voice is there, or it failed.
    """
    program = find_voice()
    if program == "flite":
        command = ["flite", "-voice", voices[1], "-t", text, "-o", str(path)]
    elif program == "espeak-ng":
        command = ["espeak-ng", "-v", voices[0], "-s", "150", "-w", str(path), text]
    else:
        raise OSError("no voice: neither flite nor espeak-ng is installed")
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=SPEAK_S)  # noqa: S603  our own texts
    except subprocess.SubprocessError as error:
        raise OSError(f"{program} could not speak: {error}") from None
