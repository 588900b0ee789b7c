"""One case on one sheet, for who works at a desk: what `domain.casebook` reads, and everything that lies around it.

Nothing here lets anybody see a case that `domain.access` does not show them; who only reads it for their department
reads no telephone numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.access import access_case, relation
from domain.assists import due_of
from domain.casebook import Reading, read_case
from domain.clock import SHANGHAI
from domain.contacts import is_contact
from domain.duplicates import likely_duplicates
from domain.duties import duty_of, responsible_department
from domain.duty_lists import version_on
from domain.geo import Ring
from domain.patrols import need_post
from domain.people import Person, post_of
from domain.privacy import mask
from domain.requests import NAMES
from domain.reveals import Reporter, reporter_of
from errors import NotFound
from models.accounts import Shortlisted
from models.cases import Assist, Case, CaseRequest, DutyList, Follower, Supervision
from models.database import fetch, from_json
from models.enums import RequestKind, RequestState, Status, Verifier
from models.people import Resident
from models.transitions import Who

_READ = 20  # rows of each kind beside a case that a sheet shows


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for, and what became of it; `kind` is the request's, 督办 or 协办."""

    what: str
    who: str
    at: datetime
    text: str
    by: datetime | None  # until when it is wanted
    answer: str
    answered_at: datetime | None
    state: str  # 等决定, 已同意 …


@dataclass(frozen=True, slots=True)
class DutyLine:
    """The line of the duty list a case is handled under."""

    version: str
    unit: str
    limits: Sequence[tuple[str, str]]
    closing: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Related:
    """Another case this one hangs together with; `how`: 并入, 并来, 拆自, 拆出."""

    how: str
    case: Case


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid and its border, if it was entered; `own`: the case is in it."""

    id: int
    name: str
    rings: Sequence[Ring]
    own: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything on one page. `events`: how many lines the timeline has, by which a page notices that it is old."""

    reading: Reading
    reporter: Reporter
    path: str
    duty: DutyLine | None
    asked: Sequence[Asked]
    joined: Sequence[str]
    related: Sequence[Related]
    alike: Sequence[Case]
    grids: Sequence[Grid]
    events: int
    listed: bool
    to_call: bool
    to_answer: bool
    to_nudge: bool

    @property
    def case(self) -> Case:
        """The case itself, masked where it must be."""
        return self.reading.case


async def read_sheet(person: Person, case_id: int, now: datetime) -> Sheet:
    """One case with all that belongs to it. Raises NotFound for who has nothing to do with it as staff."""
    post = need_post(person, "case:read")
    reading = await read_case(person, case_id)
    case = reading.case
    who = reading.who
    if reading.relation != "staff":
        raise NotFound(f"case {case_id}", say="这是您自己反映的事，请在微信里看。", tag="case:read", object_id=case_id)
    asked, joined = await _asked(case), await _joined(case)
    if who == {Who.COLLEAGUE}:
        asked = [replace(one, text=mask(one.text), answer=mask(one.answer)) for one in asked]
        joined = [mask(words) for words in joined]
    return Sheet(
        reading,
        await reporter_of(person, case, now),
        await _path(case),
        await _duty(case, now),
        asked,
        joined,
        await _related(person, case),
        [] if who == {Who.COLLEAGUE} else await _alike(person, case, now),
        await _grids(case),
        len(reading.lines),
        await Shortlisted.exists(staff_id=post.id, case_id=case_id),
        await _waits_for_call(case) and bool(who - {Who.COLLEAGUE, Who.REPORTER}) and Who.HOLDER not in who,
        await Supervision.exists(case_id=case_id, answered_at=None),
        _may_be_nudged(case, who),
    )


def _may_be_nudged(case: Case, who: frozenset[Who]) -> bool:
    waits = case.holder_id is not None and case.status in (Status.DISPATCHED, Status.DISPOSING)
    return waits and Who.DISPATCHER in who and Who.HOLDER not in who


async def count_events(person: Person, case_id: int) -> int:
    """How many lines the timeline has now. Raises NotFound."""
    await access_case(person, case_id)
    rows = await fetch("SELECT count(*) AS lines FROM case_event WHERE case_id = $1", case_id)
    return int(rows[0]["lines"])


_PATH = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, name, 0 AS steps FROM area WHERE id = $1
    UNION ALL SELECT a.id, a.parent_id, a.name, up.steps + 1 FROM up JOIN area a ON a.id = up.parent_id
) SELECT name FROM up ORDER BY steps DESC
"""


async def _path(case: Case) -> str:
    """江城市 · 东湖区 · … · 第一网格."""
    return " · ".join(row["name"] for row in await fetch(_PATH, case.grid_id or case.area_id))


_LIMITS = (
    ("受理", "accept_limit"),
    ("再派", "dispatch_limit"),
    ("接手", "sign_limit"),
    ("办理", "handle_limit"),
    ("核查", "verify_limit"),
)
_VERIFIERS = {
    Verifier.RESIDENT: "直接请居民确认",
    Verifier.GRID_WORKER: "网格员核查后请居民确认",
    Verifier.COMMUNITY: "社区核查后请居民确认",
}


async def _duty(case: Case, now: datetime) -> DutyLine | None:
    line = await duty_of(case, now)
    if line is None:
        return None
    unit = await responsible_department(line, case.grid_id or case.area_id)
    version = await DutyList.get_or_none(id=line.version_id) or await version_on(now.astimezone(SHANGHAI).date())
    closing = [text for text, wanted in (("照片", line.closing_photo), ("十个字以上说明", line.closing_text)) if wanted]
    return DutyLine(
        f"{version.effective_on:%Y-%m-%d} 起执行" if version else "",
        unit.name if unit else "",
        [(name, getattr(line, field)) for name, field in _LIMITS if getattr(line, field)],
        "、".join(closing),
        _VERIFIERS[line.verifier],
    )


_STATES = {
    RequestState.OPEN: "等决定",
    RequestState.APPROVED: "已同意",
    RequestState.REFUSED: "没有同意",
    RequestState.DROPPED: "已作罢",
}


async def _asked(case: Case) -> list[Asked]:
    """Requests, supervisions and parts of others, oldest first."""
    requests = await CaseRequest.filter(case_id=case.id).order_by("-id").limit(_READ)
    supervisions = await Supervision.filter(case_id=case.id).order_by("-id").limit(_READ)
    assists = await Assist.filter(case_id=case.id).order_by("-id").limit(_READ)
    found = [await _request(one) for one in requests]
    found += [await _supervision(one) for one in supervisions]
    found += [await _assist(one, case) for one in assists]
    return sorted(found, key=lambda one: one.at)


async def _label(staff_id: int | None) -> str:
    post = await post_of(staff_id)
    return post.label if post else "系统"


async def _request(one: CaseRequest) -> Asked:
    to = f"给{await _label(one.to_staff_id)}" if one.kind is RequestKind.TRANSFER else ""
    return Asked(
        f"{NAMES[one.kind]}{to}",
        await _label(one.asked_by_id),
        one.asked_at,
        one.reason,
        one.until,
        one.answer,
        one.decided_at,
        "等对方接" if to and one.state is RequestState.OPEN else _STATES[one.state],
    )


async def _supervision(one: Supervision) -> Asked:
    state = "已答复" if one.answered_at else "等答复"
    who = await _label(one.asked_by_id)
    return Asked("督办", who, one.asked_at, one.text, one.due_at, one.answer, one.answered_at, state)


async def _assist(one: Assist, case: Case) -> Asked:
    state = "办好了" if one.done_at else "协办中"
    who = await _label(one.staff_id)
    return Asked("协办", who, one.asked_at, one.text, due_of(one, case), one.answer, one.done_at, state)


async def _joined(case: Case) -> list[str]:
    """What others said of the same matter, without their names."""
    found = await Follower.filter(case_id=case.id).exclude(words="").order_by("id").limit(_READ)
    return [one.words for one in found]


# Each part by an index of its own. What was split off has the same reporter.
_RELATED = """
SELECT id, CASE id WHEN $2 THEN '并入' ELSE '拆自' END AS how FROM cases WHERE id IN ($2, $3)
UNION ALL (SELECT id, '并来' FROM cases WHERE merged_into_id = $1 ORDER BY id LIMIT $5)
UNION ALL (SELECT id, '拆出' FROM cases WHERE reporter_id = $4 AND split_from_id = $1 ORDER BY id LIMIT $5)
"""


async def _related(person: Person, case: Case) -> list[Related]:
    rows = await fetch(_RELATED, case.id, case.merged_into_id, case.split_from_id, case.reporter_id, _READ)
    ways = {row["id"]: row["how"] for row in rows}
    found = await Case.filter(id__in=list(ways)).order_by("id")
    return [Related(ways[one.id], one) for one in await _readable(person, found)]


async def _readable(person: Person, cases: Sequence[Case]) -> list[Case]:
    return [one for one in cases if await relation(person, one) - {Who.REPORTER, Who.COLLEAGUE}]


async def _alike(person: Person, case: Case, now: datetime) -> list[Case]:
    """Open cases of this person that are probably the same matter."""
    ended = not case.status.is_open or case.status in (Status.DISPOSED, Status.VERIFIED)
    if ended:
        return []
    return await _readable(person, await likely_duplicates(case.id, now))


_GRIDS = """
SELECT g.id, g.name, g.boundary, g.id IS NOT DISTINCT FROM $1::int AS own FROM area g
WHERE g.level = 'grid' AND g.parent_id = coalesce((SELECT parent_id FROM area WHERE id = $1::int), $2::int)
ORDER BY g.code LIMIT 200
"""


async def _grids(case: Case) -> list[Grid]:
    """The grids of the community a case lies in."""
    rows = await fetch(_GRIDS, case.grid_id, case.area_id)
    return [Grid(row["id"], row["name"], from_json(row["boundary"]) or [], row["own"]) for row in rows]


async def _waits_for_call(case: Case) -> bool:
    if case.status is not Status.VERIFIED or case.reporter_id is None:
        return False
    reporter = await Resident.get_or_none(id=case.reporter_id)
    return reporter is not None and is_contact(reporter.openid)
