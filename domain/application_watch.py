"""That no application is forgotten: its end is watched, who must add something is reminded, forms left alone go."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain import application_notices as notices
from domain import timing, worktime
from domain.application_deciders import deciders
from domain.application_rows import note_event, title_of
from domain.applications import tell_applicant
from domain.people import post_of, present
from domain.room_questions import on_duty
from domain.telling import tell
from domain.timing import quiet_until
from domain.worktime import Unit
from models.bookings import Application
from models.database import fetch, transaction

_REMINDED, _OVERDUE = 1, 2
_HALF_KEPT = timedelta(days=7)

_DUE = """
SELECT id FROM application WHERE ended_at IS NULL AND told < 2 AND state <> 'supplement' AND due_at <= $1
    AND (due_at <= $2 OR told = 0 AND submitted_at + (due_at - submitted_at) / 2 <= $2)
ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
"""


async def watch_applications(now: datetime, limit: int = 200) -> int:
    """Who has an application is reminded a working day before its end, the community is told once it is over; each
    once, not in the quiet hours. Gives how many."""
    calendar = await worktime.load_calendar()
    horizon = max(calendar.shift(now, Unit.WORKING_DAYS, calendar.day), now + timedelta(days=1))
    async with transaction():
        rows = await fetch(_DUE, horizon, now, limit)
        found = {one.id: one for one in await Application.filter(id__in=[row["id"] for row in rows])}
        for row in rows:
            await _warn(found[row["id"]], now)
    return len(rows)


async def _warn(found: Application, now: datetime) -> None:
    is_over = found.due_at is not None and found.due_at <= now
    found.told = _OVERDUE if is_over else _REMINDED
    await found.save(update_fields=["told"])
    holder, title = await post_of(found.holder_id), await title_of(found)
    posts = list(await deciders(found, now))
    if is_over or (holder and not await present(holder, now)):
        posts += await on_duty(found.area_id, now)
    what = "超过承诺时间的申请" if is_over else "快到时间的申请"
    for openid in dict.fromkeys(post.openid for post in posts if post.openid):
        await tell(notices.to_officer(found, openid, title, what, now), now, later=quiet_until(now))


# The rows are locked first and looked at once more then: of several schedulers one reminds.
_ASKED = """
SELECT a.id FROM application a WHERE a.state = 'supplement' AND a.ended_at IS NULL AND $1 >= (
    SELECT max(e.at) FROM application_event e WHERE e.application_id = a.id AND e.verb = 'ask'
) AND NOT EXISTS (SELECT FROM application_event r WHERE r.application_id = a.id AND r.verb = 'remind' AND r.id > (
    SELECT max(e.id) FROM application_event e WHERE e.application_id = a.id AND e.verb = 'ask'))
"""
_LOCK_ASKED = _ASKED + " ORDER BY a.id LIMIT $2 FOR UPDATE SKIP LOCKED"
_STILL_ASKED = _ASKED + " AND a.id = ANY ($2::bigint[])"


async def remind_applicants(now: datetime, limit: int = 200) -> int:
    """Who was asked for more and has not answered for some working days is reminded, once for each time they were
    asked, not in the quiet hours; gives how many."""
    days = timing.current().supplement_days
    if not days:
        return 0
    calendar = await worktime.load_calendar()
    since = calendar.shift(now, Unit.WORKING_DAYS, -days * calendar.day)
    async with transaction():
        locked = [row["id"] for row in await fetch(_LOCK_ASKED, since, limit)]
        ids = [row["id"] for row in await fetch(_STILL_ASKED, since, locked)] if locked else []
        for found in await Application.filter(id__in=ids):
            await _remind(found, now)
    return len(ids)


async def _remind(found: Application, now: datetime) -> None:
    title = await title_of(found)
    told = await tell_applicant(
        found, lambda openid: notices.reminds(found, openid, title), now, later=quiet_until(now)
    )
    await note_event(found, "remind", "系统", now, "" if told else "没有微信可提醒，请打电话告诉申请人")


_HALF = """
UPDATE conversation SET data = data - 'form', state = CASE WHEN state LIKE 'apply.%' THEN '' ELSE state END
WHERE data ? 'form' AND last_message_at < $1 RETURNING openid
"""


async def forget_forms(now: datetime) -> int:
    """What was half filled in and left alone for a week is forgotten; gives how many."""
    return len(await fetch(_HALF, now - _HALF_KEPT))
