"""Fuzz the codec: mutated Recon texts and envelopes, for a bounded time.

    python fuzz/codec.py --seconds 60 --seed 1

Every text must either read or raise CodecError or WarpError; what reads must survive the exact form, and both ways of
reading an envelope must agree.  Anything else is printed with the text that did it, and the exit code is 1.  The unit tests
run a few thousand texts with a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import Any, Final

from natant.codec import recon, uri, warp
from natant.codec.warp import operation
from natant.errors import CodecError, WarpError

CORPUS: Final = Path(__file__).parent.parent / "tests" / "conformance" / "data"

#: What a mutation puts in: all that means something to the grammar, and some that mean nothing.
TOKENS: Final = [
    *"{}[]()@:,;#\"'`%$-+./\\\n\r\t \0\x01\x1f\x7f0189aexbut_=<>?!*&|^~",
    *["true", "false", "@a", "@a(", "@update(key:", "0x", "0b", "-0", "1e", "1.5", "e308", "\\u", "\\ud800", "\\udc00"],
    *['node:"/a"', "lane:b", "@command(", "@link(node:", "%AA==", "``", "```", "[a@b{", "{{", "}}", "({", "})"],
    *["é", "日本", "\u00b7", "\u0301", "\ufffd", "\ud800", "\U0001f600", "\U000f0000", "\ufeff"],
]
#: characters of the longest text that is made
MAX_TEXT: Final = 20_000
#: seconds that reading one text may take before it counts as a hang
SLOW_S: Final = 5.0


def corpus() -> list[str]:
    """All texts of the conformance data."""
    texts = []
    for line in (CORPUS / "recon_vectors.jsonl").read_text("utf-8").splitlines():
        vector = json.loads(line)
        texts += [vector["input"], vector["canonical"] or ""]
    for line in (CORPUS / "warp_capture.jsonl").read_text("utf-8").splitlines():
        frame = json.loads(line)
        if frame["op"] in ("text", "binary"):
            texts.append(frame["text"])
    return [text for text in dict.fromkeys(texts) if len(text) < 1000]


def mutate(source: random.Random, texts: list[str]) -> str:
    """One new text, made from the corpus by a few random edits."""
    text = source.choice(texts)
    for _ in range(source.randint(1, 6)):
        at = source.randint(0, len(text))
        to = min(len(text), at + source.randint(0, 8))
        match source.randrange(7):
            case 0:
                text = text[:at] + source.choice(TOKENS) + text[at:]
            case 1:
                text = text[:at] + text[to:]
            case 2:
                text = text[:at] + source.choice(TOKENS) + text[to:]
            case 3:
                text = text[:at]
            case 4:
                other = source.choice(texts)
                text = text[:at] + other[source.randint(0, len(other)) :]
            case 5:
                text = text[:at] + text[at:to] * source.choice([2, 3, 70, 1000]) + text[to:]
            case _:
                text = source.choice(["{", "@a(", "[", "(", "{a:", "@a{"]) * source.choice([1, 63, 66, 500]) + text
    return text[:MAX_TEXT]


def facts(value: Any) -> Any:
    """Plain data that is equal for values that are equal in value and type."""
    if isinstance(value, recon.Record):
        return [facts(item) for item in value.items]
    if isinstance(value, recon.Slot):
        return ("slot", facts(value.key), facts(value.value))
    if isinstance(value, recon.Attr):
        return ("attr", value.name, facts(value.value))
    return (type(value).__name__, repr(value))


def check_recon(text: str) -> bool:
    """Read a text; True where it is Recon.

    :raises AssertionError: where what was read does not survive being written.
    """
    try:
        value = recon.decode(text)
    except CodecError:
        return False
    recon.sort_key(value)
    try:
        exact = recon.encode(value, exact=True)
        wire = recon.encode(value)
        body, other = recon.encode_pair(value)
    except CodecError:
        return True  # half a surrogate pair, or nested deeper than the writer goes
    recon.check(value)
    assert facts(recon.decode(exact)) == facts(value), "the exact text reads as another value"
    assert other == exact, "encode_pair and encode differ"
    recon.decode_body(body)
    settled = recon.encode(recon.decode(wire))
    assert recon.encode(recon.decode(settled)) == settled, "printing does not settle"
    return True


def read_envelope(payload: str | bytes) -> Any:
    """All there is to know of an envelope, or the code of the error."""
    try:
        envelope = warp.decode(payload)
    except WarpError as error:
        return error.code
    try:
        body = envelope.body
        operation.read(body)
        told = facts(body)
    except CodecError as error:
        told = error.code
    if envelope.node is not None and envelope.lane is not None:
        echo, _ = uri.resolve(envelope.node)
        assert uri.normalize(echo) == echo, "an echo is not normal"
        uri.resolve_lane(envelope.lane)
    return (envelope.tag, envelope.node, envelope.lane, envelope.prio, envelope.rate, envelope.body_text, told)


def check_envelope(text: str) -> bool:
    """Read a text as an envelope in both ways; True where it is one.

    :raises AssertionError: where they differ.
    """
    outcome = read_envelope(text)
    assert outcome == read_envelope(" " + text), "the fast way and the general way differ"
    read_envelope(text.encode("utf-8", "surrogatepass"))
    return not isinstance(outcome, str)


def run(seed: int, *, count: int | None = None, seconds: float | None = None) -> dict[str, int]:
    """Try mutated texts until ``count`` of them or ``seconds`` are over.

    :returns: how many texts were tried, and how many of them were Recon and envelopes.
    :raises AssertionError: with the text, for whatever must not happen.
    """
    source = random.Random(seed)
    texts = corpus()
    done = {"tried": 0, "recon": 0, "envelopes": 0}
    stop = None if seconds is None else time.monotonic() + seconds
    while done["tried"] != count and (stop is None or time.monotonic() < stop):
        text = mutate(source, texts)
        began = time.monotonic()
        try:
            done["recon"] += check_recon(text)
            done["envelopes"] += check_envelope(text)
        except Exception as error:
            raise AssertionError(
                f"seed {seed}, text {done['tried']}: {type(error).__name__}: {error}\n{text!r}"
            ) from error
        if time.monotonic() - began > SLOW_S:
            raise AssertionError(f"seed {seed}, text {done['tried']} took over {SLOW_S} s\n{text!r}")
        done["tried"] += 1
    return done


def main() -> int:
    """Fuzz for the time asked for; 1 where something was found."""
    parser = argparse.ArgumentParser(description="Fuzz the codec with mutated Recon texts and envelopes.")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to go on (default 10)")
    parser.add_argument("--seed", type=int, default=None, help="repeat an earlier run (default: a new one)")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    try:
        done = run(seed, seconds=options.seconds)
    except AssertionError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"seed": seed, **done}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
