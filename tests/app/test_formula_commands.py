"""`linli formula`: what holds is shown, changed by who may, and kept with names; a dry run writes nothing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.engines import Engines
from domain.figures_settings import Settings, in_force
from models.audit import AuditEvent
from models.database import database
from models.statistics import Formula
from tests.app.conftest import Linli

DECEMBER = date(2026, 12, 1)


@pytest.fixture
def settings(started_engines: Engines, database_url: str, folder: Path) -> dict[str, Any]:
    return {"home": folder, "database_url": database_url, "redis_url": started_engines.redis_url}


def written(folder: Path, content: object) -> str:
    file = folder / "formula.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(file)


async def test_a_version_is_tried_added_shown_and_kept_with_who_added_it(
    linli: Linli, settings: dict[str, Any], database_url: str, folder: Path
):
    file = written(folder, {"denominator": "closed", "weights": {"overall": {"solved_rate": 2, "close_on_time": 1}}})
    given = ("formula", "set", file, "--by", "Q001", "--from", "2026-12", "--note", "区考核办文")
    tried = await linli(*given, "--dry-run", **settings)
    assert tried.code == 0, tried.said
    assert "denominator: due → closed" in tried.said
    assert "weights.overall.solved_rate: 15 → 2" in tried.said
    assert "nothing was written" in tried.said
    async with database(database_url, 2):
        assert await Formula.all().count() == 0

    added = await linli(*given, **settings)
    assert "added by 东湖区郑主任" in added.said
    async with database(database_url, 2):
        force = await in_force(DECEMBER)
        assert force.settings.denominator == "closed"
        assert (await in_force(date(2026, 11, 1))).settings == Settings()
        assert await AuditEvent.filter(tag="formula:add", object_id=force.formula_id, allowed=True).count() == 1

    shown = await linli("formula", "show", "--month", "2026-12", **settings)
    assert "区考核办文" in shown.said
    assert json.loads(shown.said[shown.said.index("{") :])["denominator"] == "closed"
    listed = (await linli("formula", "history", **settings)).said
    for part in ("2026-12", "郑主任", "区考核办文", "denominator: due → closed"):
        assert part in listed


async def test_what_show_prints_is_taken_back_and_changes_nothing(
    linli: Linli, settings: dict[str, Any], database_url: str, folder: Path
):
    shown = (await linli("formula", "show", **settings)).said
    assert "the settings Linli ships" in shown
    file = written(folder, shown[shown.index("{") :])
    again = await linli("formula", "set", file, "--by", "C001", "--from", "2026-12", **settings)
    assert (again.code, "Nothing to write" in again.said) == (0, True)
    assert "those Linli ships hold" in (await linli("formula", "history", **settings)).said
    async with database(database_url, 2):
        assert await Formula.all().count() == 0


@pytest.mark.parametrize("by", ["J001", "G001", "B101"], ids=["street", "grid worker", "the district's department"])
async def test_a_post_that_may_not_is_refused_and_the_attempt_is_audited(
    linli: Linli, settings: dict[str, Any], database_url: str, folder: Path, by: str
):
    file = written(folder, {"denominator": "closed"})
    refused = await linli("formula", "set", file, "--by", by, "--from", "2026-12", **settings)
    assert (refused.code, "only a post of the district or the city" in refused.said) == (1, True)
    async with database(database_url, 2):
        assert await Formula.all().count() == 0
        assert await AuditEvent.filter(tag="formula:add", allowed=False).count() == 1


@pytest.mark.parametrize(
    ("content", "start", "by", "named"),
    [
        ({"denominators": "closed"}, "2026-12", "Q001", "denominators"),
        ({"weights": {"overall": {"beauty": 1}}}, "2026-12", "Q001", "beauty"),
        ({"weights": {"overall": 3}}, "2026-12", "Q001", "weights.overall"),
        ({"response_hours": [1]}, "2026-12", "Q001", "response_hours"),
        ('{"sign_hours": 1e400}', "2026-12", "Q001", "sign_hours"),
        ("[]", "2026-12", "Q001", "not a JSON object"),
        ("{", "2026-12", "Q001", "formula.json"),
        ({}, "December", "Q001", "must look like 2026-12"),
        ({}, "2026-12", "Q999", "no member of staff with number Q999"),
    ],
)
async def test_what_is_wrong_is_named_in_one_line(
    linli: Linli, settings: dict[str, Any], folder: Path, content: object, start: str, by: str, named: str
):
    refused = await linli(
        "formula", "set", written(folder, content), "--by", by, "--from", start, "--dry-run", **settings
    )
    assert (refused.code, named in refused.said) == (1, True), refused.said
    assert "Traceback" not in refused.said
