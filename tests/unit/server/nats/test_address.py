"""Subjects mean one thing or are refused; nothing that comes by subject raises anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.errors import ServerError
from natant.fabric.nats.subject import Subjects
from natant.server.nats.address import VERBS, parse

SUBJECTS = Subjects("my plane")
LANE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
SEGMENT = st.text("abcXYZ019-._~!$&'()*+,;=:@", min_size=1, max_size=8).filter(lambda text: text.strip("."))


def read(subject: str) -> str:
    """The verb of a subject, or the code of its refusal."""
    try:
        return parse(subject, SUBJECTS.root)[0]
    except ServerError as error:
        return error.code


@given(st.lists(SEGMENT, min_size=1, max_size=9), LANE)
def test_what_is_asked_is_understood_mapped_or_not(segments: list[str], lane: str) -> None:
    node = "/" + "/".join(segments)
    subject = SUBJECTS.ask("get", lane, node)
    mapped = subject.replace(f"{SUBJECTS.root}.in.", f"{SUBJECTS.root}.at.17.", 1)

    assert parse(subject, SUBJECTS.root) == ("get", lane, node)
    assert parse(mapped, SUBJECTS.root) == ("get", lane, node)


@given(st.text(max_size=60), st.sampled_from(["in", "at", "at.3", ""]), st.sampled_from([*sorted(VERBS), "x"]))
def test_anything_else_is_refused_with_one_code(tail: str, way: str, verb: str) -> None:
    found = read(f"{SUBJECTS.root}.{way}.{verb}.{tail}")

    assert found == "NT-SERVER-030" or found in VERBS


@pytest.mark.parametrize("subject", ["in.list", "in.health"])
def test_some_verbs_stand_alone(subject: str) -> None:
    assert parse(f"{SUBJECTS.root}.{subject}", SUBJECTS.root) == (subject.removeprefix("in."), "", "")
