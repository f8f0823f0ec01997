"""The commands against a service that runs: from the first person to the certificate of a deletion."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keepsake.cli.main import run

DIARY = """\
## 2024-05-01
Moved to Miragaia. Slept on the floor with the window open and heard the river.
## 2024-05-08
Met my neighbour on the second floor, Gaspar, who repairs accordions.
## 2024-06-03
Cello lesson with Dona Amélia. She sits now, but her ears stand.
## 2024-09-24
The lift of the footbridge in Amarante took six hours. Zé Carlos took off his helmet.
"""


class Desk:
    """A terminal beside a running service."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> str:
        code = run(arguments)
        told = self.capsys.readouterr()
        assert code == 0, told.err
        return told.out

    def json(self, *arguments: str) -> Any:
        lines = [json.loads(line) for line in self(*arguments, "--json").splitlines()]
        return lines[0] if len(lines) == 1 else lines

    def fails(self, *arguments: str) -> str:
        assert run(arguments) != 0
        return self.capsys.readouterr().err


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a service without ears."""
    folder = tmp_path_factory.mktemp("service")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = ["serve", "--port", "0", "--data", str(folder / "data"), "--workers", "read,learn,forget", "--json"]
    command += ["--logs", str(folder / "logs")]
    service = subprocess.Popen(
        [sys.executable, "-m", "keepsake.cli", *command], stdout=subprocess.PIPE, env=environment
    )
    try:
        assert service.stdout is not None
        told = json.loads(service.stdout.readline())
        assert told["workers"] == ["read", "learn", "forget"]
        yield folder / "data"
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(60) == 0


@pytest.fixture
def desk(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Desk:
    monkeypatch.setenv("KEEPSAKE_DATA", str(data))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("KEEPSAKE_AT", "KEEPSAKE_TOKEN", "TZ"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "diary.md").write_text(DIARY, "utf-8")
    return Desk(capsys)


def test_a_life_with_keepsake(desk: Desk, tmp_path: Path) -> None:
    desk("person", "add", "ada")
    desk("person", "add", "ben")
    assert desk.json("import", "ada", "diary.md", "--wait")["sent"] == 4
    assert desk.json("import", "ada", "diary.md", "--wait")["there"] == 4

    lines = desk.json("timeline", "ada")
    assert len(lines) == 4
    assert "footbridge" in lines[0]["text"]
    answer = desk.json("ask", "ada", "Who repairs accordions?")["answer"]
    assert answer["is_known"]
    assert "Gaspar" in answer["citations"][0]["text"]
    assert "accordions" in desk("ask", "ada", "Who repairs accordions?", "--right", "1")
    assert desk.json("learn", "ada")["built_to"] >= 0
    assert desk.json("learn", "ada", "--show")["parts"]

    grant = desk.json("grant", "give", "ada", "ben", "--until", "1d", "--purpose", "music")
    token = grant["token"]
    told = desk.json("ask", "ben", "Who repairs accordions?", "--about", "ada", "--grant", token)
    assert "Gaspar" in told["answer"]["citations"][0]["text"]
    assert desk.json("grant", "ls", "ada")["state"]["to"] == "ben"
    desk("grant", "revoke", "ada", grant["id"])
    assert "KS-GRANT-" in desk.fails("ask", "ben", "Who repairs accordions?", "--about", "ada", "--grant", token)
    assert "KS-GRANT-" in desk.fails("ask", "ben", "Who repairs accordions?", "--about", "ada")

    capsule = desk("capsule", "fill", "ada", "Dear me", "--event", "graduation").strip()
    assert run(["capsule", "open", "ada", capsule]) == 1
    assert run(["capsule", "open", "ada", capsule, "--event", "wedding"]) == 1
    desk.capsys.readouterr()
    assert desk("capsule", "open", "ada", capsule, "--event", "graduation") == "Dear me\n"
    assert desk.json("capsule", "ls", "ada")["state"]["opened_at"]

    desk("export", "ada", "--out", "ada.zip")
    assert (tmp_path / "ada.zip").stat().st_size > 1000
    message = next(line["memory"] for line in lines if "Gaspar" in line["text"]).partition("#")[0]
    desk("forget", "ada", "--message", message, "--yes", "--certificate", "gone.json")
    assert "message" in desk("verify", "gone.json")
    gone = desk.json("ask", "ada", "Who repairs accordions?")["answer"]
    assert all("Gaspar" not in citation["text"] for citation in gone["citations"])


def test_a_token_of_somebody_else_reaches_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk("person", "add", "eve")
    token = desk("person", "token", "eve", "--device", "phone").strip()
    monkeypatch.setenv("KEEPSAKE_TOKEN", token)

    assert "NT-LINK-" in desk.fails("ask", "eve", "Who repairs accordions?")
    assert "KS-CLI-003" in desk.fails("timeline", "ada")
    assert desk.json("import", "eve", "diary.md")["sent"] == 4
