"""The benchmark's reader and its figures, on a conversation that we made up in LoCoMo's form."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from keepsake.bench.locomo import auc, measure, recall, talks
from keepsake.bench.overlap import token_f1
from keepsake.errors import KeepsakeError

DOCUMENT = {
    "speaker_a": "Ann",
    "speaker_b": "Ben",
    "session_1_date_time": "1:56 pm on 8 May, 2023",
    "session_1": [
        {"speaker": "Ann", "dia_id": "D1:1", "text": "I adopted a puppy from the shelter yesterday!"},
        {"speaker": "Ben", "dia_id": "D1:2", "text": "Look at this!", "blip_caption": "a photo of a red kite"},
    ],
    "qa": [
        {"question": "When did Ann adopt a puppy?", "answer": "7 May 2023", "evidence": ["D1:1"], "category": 2},
        {"question": "What did Ben show?", "answer": "a kite", "evidence": ["D1:02; D9:9"], "category": 4},
        {"question": "When did Ben adopt a puppy?", "adversarial_answer": "7 May", "evidence": ["D1:1"], "category": 5},
        {"question": "No evidence?", "answer": 1, "evidence": [], "category": 1},
    ],
}


@pytest.mark.parametrize("is_packed", [True, False])
def test_conversations_are_read_packed_or_not(tmp_path: Path, is_packed: bool) -> None:
    name = "data/multimodal_dialog/locomo10_v2/26.json"
    if is_packed:
        with zipfile.ZipFile(tmp_path / "locomo10.zip", "w") as archive:
            archive.writestr(name, json.dumps(DOCUMENT))
    else:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(json.dumps(DOCUMENT), encoding="utf-8")
    [talk] = talks(tmp_path)
    assert talk.memories[0].said_at == 1_683_554_160
    assert talk.memories[1].text == "Look at this! [shared a photo: a photo of a red kite]"
    assert [sorted(asking.gold) for asking in talk.askings] == [
        ["locomo-26:D1:1#0"],
        ["locomo-26:D1:2#0"],
        ["locomo-26:D1:1#0"],
    ]
    found = measure([talk], None)
    assert found["recall_at_5"] == found["recall_at_10"] == 100
    assert found["questions"]["adversarial"] == 1
    assert found["temporal_f1"] == 100


def test_where_nothing_is_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeepsakeError, match="KS-CLI-020"):
        talks(tmp_path)


def test_figures() -> None:
    assert recall(frozenset("ab"), ["a", "c", "b"], 2) == 0.5
    assert auc([3, 2], [1, 2]) == 0.875


def test_overlap_of_answers() -> None:
    assert token_f1("The Sunday before 25 May, 2023", "the sunday before 25 May 2023") == 1.0
    assert token_f1("25 May 2023", "May 2023") == pytest.approx(0.8)
    assert token_f1("painting", "they painted and sang") == pytest.approx(0.5)
    assert token_f1("", "2022") == token_f1("a", "the") == 0.0
