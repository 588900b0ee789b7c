"""Whoever is away is stood in for by their deputy, and never by somebody who is away too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.people import present, stand_in
from models.people import Absence, Staff

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


async def away(name: str, deputy: str | None, *, since: timedelta = timedelta(hours=1)) -> None:
    staff = await Staff.get(name=name)
    other = await Staff.get(name=deputy) if deputy else None
    await Absence.create(
        staff_id=staff.id,
        deputy_id=other.id if other else None,
        starts_at=NOW - since,
        ends_at=NOW - since + timedelta(days=3),
    )


async def who_works_for(name: str, now: datetime = NOW) -> str | None:
    found = await stand_in((await Staff.get(name=name)).id, now)
    return found.name if found else None


async def test_whoever_is_there_does_their_own_work(orm: None):
    assert await who_works_for("王芳") == "王芳"
    assert await present((await Staff.get(name="王芳")).id, NOW)


async def test_whoever_is_away_is_stood_in_for_until_they_are_back(orm: None):
    await away("王芳", "刘洋")
    assert await who_works_for("王芳") == "刘洋"
    assert not await present((await Staff.get(name="王芳")).id, NOW)
    assert await who_works_for("王芳", NOW + timedelta(days=4)) == "王芳"
    assert await who_works_for("王芳", NOW - timedelta(days=1)) == "王芳"


async def test_a_deputy_who_is_away_too_is_stood_in_for_by_theirs(orm: None):
    await away("王芳", "刘洋")
    await away("刘洋", "赵敏")
    assert await who_works_for("王芳") == "赵敏"


async def test_two_who_stand_in_for_each_other_leave_nobody(orm: None):
    await away("王芳", "刘洋")
    await away("刘洋", "王芳")
    assert await who_works_for("王芳") is None


async def test_nobody_stands_in_where_no_deputy_is_named_or_the_deputy_has_left(orm: None):
    await away("王芳", None)
    assert await who_works_for("王芳") is None
    await away("刘洋", "赵敏")
    await Staff.filter(name="赵敏").update(active=False)
    assert await who_works_for("刘洋") is None
    assert await who_works_for("赵敏") is None
