"""`linli rules`: the effect is shown before anything is written; only who may writes; everything is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.engines import Engines
from app.rules import watched_rules
from domain.people import find_operator
from domain.word_rules import add_rule, make_rule
from nlp.overlay import active
from tests.app.conftest import Linli
from tests.domain.tables import NOW
from tests.waiting import eventually


@pytest.fixture
def settings(started_engines: Engines, database_url: str, folder: Path) -> dict[str, Any]:
    return {"home": folder, "database_url": database_url, "redis_url": started_engines.redis_url}


async def test_a_rule_is_tried_added_listed_removed_and_remembered(linli: Linli, settings: dict[str, Any]):
    tried = await linli("rules", "preview", "路灯不亮", "word", "灯杆发黑", "--weight", "4", **settings)
    assert tried.code == 0, tried.said
    assert "Of the newest 0 cases" in tried.said
    assert "Nothing was written" in tried.said
    assert "no rules of your own" in (await linli("rules", "list", **settings)).said

    added = await linli(
        "rules", "add", "路灯不亮", "word", "灯杆发黑", "--by", "Q001", "--note", "本地叫法", **settings
    )
    assert "Rule 1 added" in added.said, added.said
    listed = (await linli("rules", "list", "路灯不亮", **settings)).said
    for part in ("灯杆发黑", "本地叫法", "as shipped", "街灯"):
        assert part in listed

    tried = await linli("rules", "remove", "1", "--by", "Q001", "--dry-run", **settings)
    assert "nothing was written" in tried.said
    assert "Rule 1 ended" in (await linli("rules", "remove", "1", "--by", "Q001", **settings)).said
    assert "no rules of your own" in (await linli("rules", "list", **settings)).said
    assert "灯杆发黑" in (await linli("rules", "history", **settings)).said


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("路灯不亮", "word", "灯杆发黑", "--by", "G001"), "district or the city"),
        (("路灯不亮", "word", "灯杆发黑", "--by", "X999"), "X999"),
        (("没有这类", "word", "灯杆发黑", "--by", "Q001"), "没有这类"),
        (("路灯不亮", "maybe", "灯杆发黑", "--by", "Q001"), "只能是"),
    ],
)
async def test_what_cannot_be_is_refused_in_one_line(
    linli: Linli, settings: dict[str, Any], given: tuple[str, ...], named: str
):
    refused = await linli("rules", "add", *given, **settings)
    assert refused.code == 1
    assert named in refused.said
    assert "Traceback" not in refused.said


async def test_a_running_process_takes_up_what_another_one_changed(orm: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.rules.LOOK_AGAIN", 0.05)
    async with watched_rules():
        assert active().rules == ()
        await add_rule(await find_operator("Q001"), make_rule("路灯不亮", "word", "灯杆发黑"), "", NOW)
        await eventually(lambda: len(active().rules) == 1)
    assert active().rules == ()
