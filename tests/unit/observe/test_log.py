"""What logs look like."""

from __future__ import annotations

import io
import json
import logging

from natant.errors import TurnError
from natant.observe.log import HumanFormat, JsonFormat, set_up


def record(error: Exception | None = None, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "natant.x", "levelno": 30, "levelname": "WARNING", "msg": "%s is %d", "args": ("a", 5)} | extra
    )
    if error is not None:
        made.exc_info = (type(error), error, None)
    return made


def test_json_is_one_object_a_line_with_all_facts() -> None:
    facts = json.loads(JsonFormat().format(record(TurnError("NT-TURN-001", "x\ny"), node="/a", thing=object)))
    assert facts["level"] == "warning"
    assert (facts["message"], facts["code"], facts["node"]) == ("a is 5", "NT-TURN-001", "/a")
    assert "TurnError" in facts["error"]
    assert isinstance(facts["thing"], str)
    assert "\n" not in JsonFormat().format(record(ValueError("a\nb")))


def test_people_get_a_line_with_time_level_and_place() -> None:
    text = HumanFormat().format(record())
    assert text.endswith("warning natant.x  a is 5")
    assert "\033[33m" in HumanFormat(is_colored=True).format(record())
    assert "ValueError: bad" in HumanFormat().format(record(ValueError("bad")))


def test_set_up_sends_ours_at_the_level_and_others_from_warning() -> None:
    out = io.StringIO()
    levels = {name: logging.getLogger(name).level for name in ("", "natant", "uvicorn")}
    handler = set_up(form="json", level="debug", stream=out)
    try:
        logging.getLogger("natant.y").debug("ours")
        logging.getLogger("other").info("not shown")
        logging.getLogger("other").warning("shown")
    finally:
        logging.getLogger().removeHandler(handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    assert [json.loads(line)["message"] for line in out.getvalue().splitlines()] == ["ours", "shown"]
