"""Lists of cases, page by page: by filters, by words, by number, what is overdue.

Everything is limited to what the person may read, as everywhere (`domain.access`): a dispatcher sees what is below
their area, a grid worker their grid, staff of a department what it has or assists with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.desk_search import index_missing, search_query, within_months
from domain.figures_counts import plan_for_these_values, scope_below
from domain.lookup import read_number
from domain.people import Person, ancestors
from domain.privacy import mask
from errors import BadRequest, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import Role, Status

PAGE = 50
#: Above this many a list says "100+", and one of open cases, which an index counts, "10000+": counting on would cost
#: more than it tells.
COUNTED, COUNTED_OPEN = 100, 10_000
#: Up to so many places each is asked for its own newest; beyond, the newest of all are looked through. A street has
#: every tenth case of its city, which is soon found; a grid every thousandth.
_FEW_PLACES = 64


class Sort(StrEnum):
    """The order of a page."""

    NEWEST = "newest"  # by the time of report, the newest first
    DUE = "due"  # open cases only, by due time; what has none comes last


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list shows; None = whatever. `start` and `end` (before it) are the time of report."""

    area_id: int | None = None
    open: bool | None = None
    status: Status | None = None
    category: str | None = None
    holder_id: int | None = None
    department_id: int | None = None
    overdue: bool | None = None
    urgent: bool | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list. `area`: a grid with its community, as there is a 第一网格 in each."""

    id: int
    number: str
    status: Status
    category: str
    subject: str
    place: str
    urgency: str
    area: str
    holder_id: int | None
    holder: str
    department: str
    reported_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    overdue: bool
    round: int
    urged: int
    supervised: int


@dataclass(frozen=True, slots=True)
class Page:
    """Up to PAGE lines; `next` continues after them ("" at the end); `count` on the first page, of which `beyond` says
    that there are still more."""

    rows: Sequence[Row]
    next: str = ""
    count: int | None = None
    beyond: bool = False


_DUE = "coalesce(c.due_at, '9999-12-31T00:00:00Z'::timestamptz)"
# Somebody still has to act and the promised time is over; while the clock stands it was over before it stood still.
# A result that waits for the check or for the resident is not the holder's delay any more.
_OVERDUE = (
    "(c.closed_at IS NULL AND c.status NOT IN ('disposed', 'verified') AND "
    + _DUE
    + " < least($4::timestamptz, c.suspended_at))"
)
_WHERE = (
    """
    AND ($5::boolean IS NULL OR (c.closed_at IS NULL) = $5)
    AND ($6::text IS NULL OR c.status = $6) AND ($7::text IS NULL OR c.category = $7)
    AND ($8::int IS NULL OR c.holder_id = $8) AND ($9::int IS NULL OR c.department_id = $9)
    AND ($10::boolean IS NULL OR (c.urgency = 'urgent') = $10)
    AND ($11::timestamptz IS NULL OR c.reported_at >= $11) AND ($12::timestamptz IS NULL OR c.reported_at < $12)
    AND ($13::boolean IS NULL OR """
    + _OVERDUE
    + """ = $13 AND ($13 IS NOT TRUE OR """
    + _DUE
    + """ < $4))
    AND ($14::text IS NULL OR c.search @@ $14::tsquery)
    """
)
_NEWEST = " AND ($2::timestamptz IS NULL OR (c.reported_at, c.id) < ($2, $3::bigint)) "
_BY_NEWEST = " ORDER BY c.reported_at DESC, c.id DESC "
_SOONEST = " AND c.closed_at IS NULL AND ($2::timestamptz IS NULL OR (" + _DUE + ", c.id) > ($2, $3::bigint)) "
_BY_DUE = " ORDER BY " + _DUE + ", c.id "
_SOME = " LIMIT $15::int "

# Everywhere in one go, or each of a few places for itself and then the best of all.
_WIDE = "SELECT c.id FROM cases c WHERE ($1::int[] IS NULL OR coalesce(c.grid_id, c.area_id) = ANY ($1))"
_NARROW = "SELECT c.id FROM unnest($1::int[]) AS o(place) CROSS JOIN LATERAL (SELECT c.id, c.reported_at, c.due_at "
_OF_IT = "FROM cases c WHERE coalesce(c.grid_id, c.area_id) = o.place"
_WIDE_NEWEST = _WIDE + _WHERE + _NEWEST + _BY_NEWEST + _SOME
_WIDE_DUE = _WIDE + _WHERE + _SOONEST + _BY_DUE + _SOME
_NARROW_NEWEST = _NARROW + _OF_IT + _WHERE + _NEWEST + _BY_NEWEST + _SOME + ") c" + _BY_NEWEST + _SOME
_NARROW_DUE = _NARROW + _OF_IT + _WHERE + _SOONEST + _BY_DUE + _SOME + ") c" + _BY_DUE + _SOME

_FOUND = "WITH found AS MATERIALIZED ("
_SHOWN = (
    """
    ) SELECT c.id, c.number, c.status, c.category, c.subject, c.place, c.urgency,
        coalesce(above.name, '') || coalesce(a.name, '') AS area, c.holder_id,
        coalesce(s.name, '') AS holder, coalesce(d.name, '') AS department, c.reported_at, c.due_at, c.closed_at,
        c.round, c.urged, c.supervised, (SELECT count(*) FROM found) AS counted, """  # noqa: S608 - constants of ours
    + _OVERDUE
    + """ AS overdue
    FROM (SELECT id FROM found LIMIT 51) p JOIN cases c ON c.id = p.id
    LEFT JOIN area a ON a.id = coalesce(c.grid_id, c.area_id)
    LEFT JOIN area above ON above.id = a.parent_id AND a.level = 'grid'
    LEFT JOIN staff s ON s.id = c.holder_id LEFT JOIN department d ON d.id = c.department_id
    """
)
_WIDE_NEWEST = _FOUND + _WIDE + _WHERE + _NEWEST + _BY_NEWEST + _SOME + _SHOWN + _BY_NEWEST
_WIDE_DUE = _FOUND + _WIDE + _WHERE + _SOONEST + _BY_DUE + _SOME + _SHOWN + _BY_DUE
# Words that are rare together: all that have them, found by the words alone, and then sorted. The sum keeps the planner
# from walking back through time until it has met enough of them, which may be never.
_SORTED = " ORDER BY c.reported_at + interval '0' DESC, c.id DESC "
_WITH_WORDS = _FOUND + _WIDE + _WHERE + _NEWEST + _SORTED + _SOME + _SHOWN + _BY_NEWEST
_OF_PLACES = _FOUND + _NARROW + _OF_IT + _WHERE
_NARROW_NEWEST = _OF_PLACES + _NEWEST + _BY_NEWEST + _SOME + ") c" + _BY_NEWEST + _SOME + _SHOWN + _BY_NEWEST
_NARROW_DUE = _OF_PLACES + _SOONEST + _BY_DUE + _SOME + ") c" + _BY_DUE + _SOME + _SHOWN + _BY_DUE

# A department's own: what it has the lead of, what its staff ($1) hold, what they were asked to assist with. Each has
# an index of its own, in the order of time, and gives its best; the best of these is the page.
_CASES = "(SELECT c.id, c.reported_at, c.due_at FROM cases c WHERE "
_AT_PLACE = " AND ($17::int[] IS NULL OR coalesce(c.grid_id, c.area_id) = ANY ($17)) "
_ASSISTED = "c.id IN (SELECT case_id FROM assist WHERE staff_id = ANY ($1::int[]))"
_LED = _CASES + "c.department_id = $16::int" + _AT_PLACE + _WHERE
_HELD = _CASES + "c.holder_id = ANY ($1::int[])" + _AT_PLACE + _WHERE
_HELPED = _CASES + _ASSISTED + _AT_PLACE + _WHERE
_OR = _SOME + ") UNION "
_NEW = _NEWEST + _BY_NEWEST
_SOON = _SOONEST + _BY_DUE
_WORDS = _NEWEST + _SORTED
_BEST = _FOUND + "SELECT c.id FROM ("  # noqa: S608 - constants of ours
_OF_THESE = _SOME + ")) c"
_BEST_NEWEST = _OF_THESE + _BY_NEWEST + _SOME + _SHOWN + _BY_NEWEST
_UNIT_NEWEST = _BEST + _LED + _NEW + _OR + _HELD + _NEW + _OR + _HELPED + _NEW + _BEST_NEWEST
_UNIT_WORDS = _BEST + _LED + _WORDS + _OR + _HELD + _WORDS + _OR + _HELPED + _WORDS + _BEST_NEWEST
_UNIT_EACH_DUE = _LED + _SOON + _OR + _HELD + _SOON + _OR + _HELPED + _SOON
_UNIT_DUE = _BEST + _UNIT_EACH_DUE + _OF_THESE + _BY_DUE + _SOME + _SHOWN + _BY_DUE

# How many are open: the indexes of what is open hold all that a filter asks for.
_COUNT = "SELECT least(count(*), $15) AS many FROM ("
_COUNT_OPEN = _COUNT + _WIDE + _WHERE + _SOONEST + _SOME + ") c"
_COUNT_OPEN_OF_UNIT = _COUNT + _UNIT_EACH_DUE + _OF_THESE

_NUMBERED = "SELECT id FROM cases WHERE split_part(number, '-', 2) = split_part($1, '-', 2) AND number LIKE $1 "
_BY_NUMBER = (
    _FOUND  # noqa: S608 - constants of ours
    + _NUMBERED
    + " AND ($2::int[] IS NULL OR coalesce(grid_id, area_id) = ANY ($2)) AND ($3::int IS NULL OR holder_id = $3) "
    + "AND ($5::int IS NULL OR department_id = $5 OR holder_id = ANY ($6::int[]) "
    + "OR id IN (SELECT case_id FROM assist WHERE staff_id = ANY ($6))) "
    + "ORDER BY id DESC LIMIT 51"
    + _SHOWN
    + _BY_NEWEST
)


@dataclass(frozen=True, slots=True)
class Sight:
    """Where to look: places (None = everywhere), the one whose cases they must be (None = anybody's), the department
    that must have them or assist with them (None = any), and who works there."""

    places: Sequence[int] | None
    holder_id: int | None
    department_id: int | None = None
    colleagues: Sequence[int] = ()


async def sight_of(person: Person, area_id: int | None, holder_id: int | None = None) -> Sight:
    """What this person may see, within an area of their own choice. NotFound for an area that is not below theirs."""
    post = person.post
    if post is None:
        raise NotAllowed(f"{person.actor} has no desk", tag="case:list", object_id=None)
    if holder_id == post.id and area_id is None:
        return Sight(None, post.id)
    if post.department_id is not None:
        staff = await fetch("SELECT id FROM staff WHERE department_id = $1", post.department_id)
        places = (await scope_below(area_id)).places if area_id is not None else None
        return Sight(places, holder_id, post.department_id, [row["id"] for row in staff])
    if not (post.dispatches or post.role is Role.GRID_WORKER):
        return Sight(None, post.id)
    if area_id is not None and post.area_id not in await ancestors(area_id):
        raise NotFound(f"area {area_id}", tag="area:read", object_id=area_id)
    places = (await scope_below(area_id or post.area_id)).places
    everywhere = len(places) == (await fetch("SELECT count(*) AS n FROM area"))[0]["n"]
    return Sight(None if everywhere else places, holder_id)


async def list_cases(
    person: Person, filters: Filters, now: datetime, *, sort: Sort = Sort.NEWEST, after: str = ""
) -> Page:
    """One page; `after` is the `next` of the page before. The first page also counts."""
    if filters.overdue or (filters.status and filters.status.is_open):
        filters = replace(filters, open=True)  # says the same, and open cases have an index of their own
    sight = await sight_of(person, filters.area_id, filters.holder_id)
    return await _page(_Wish(sight, filters, now, after), sort)


async def overdue(person: Person, now: datetime, *, area_id: int | None = None, after: str = "") -> Page:
    """Open cases whose promised time is over, the longest overdue first."""
    return await list_cases(person, Filters(area_id=area_id, overdue=True), now, sort=Sort.DUE, after=after)


async def search(person: Person, text: str, filters: Filters, now: datetime, *, after: str = "") -> Page:
    """Cases with this number, or with all of these words in any order, newest first."""
    await index_missing()
    sight = await sight_of(person, filters.area_id, filters.holder_id)
    pattern = read_number(text)
    if pattern and not after:
        async with transaction():
            await plan_for_these_values()
            whose = sight.places, sight.holder_id, now, sight.department_id, sight.colleagues
            rows = await fetch(_BY_NUMBER, pattern, *whose)
        if rows:
            return Page([_row(row, sight) for row in rows[:PAGE]], count=len(rows))
    words = search_query(text)
    if not words:
        raise BadRequest("nothing to search for", say="请写要找的编号或词，比如“0037”或“3栋 漏水”。")
    if _is_wide(sight):
        # Common words fill a page within a month, of which few rows have to be read.
        recent = _since(filters, after, now)
        latest = _read_cursor(after)[0] or now
        lately = within_months(words, recent.start or latest, latest)
        page = await _page(_Wish(sight, recent, now, after, lately), None)
        if page.next:
            return page
    return await _page(_Wish(sight, filters, now, after, words), None)


#: How far back is looked at first.
_RECENT = timedelta(days=30)


def _since(filters: Filters, after: str, now: datetime) -> Filters:
    """The same, not looking further back than the first look before the page."""
    start = (_read_cursor(after)[0] or now) - _RECENT
    return replace(filters, start=max(start, filters.start) if filters.start else start)


def _is_wide(sight: Sight) -> bool:
    unit = sight.department_id is not None
    return not unit and (sight.places is None or len(sight.places) > _FEW_PLACES)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a page is asked for with; `words` is a tsquery."""

    sight: Sight
    filters: Filters
    now: datetime
    after: str
    words: str | None = None

    @property
    def counts(self) -> bool:
        """Only the first page of a list counts."""
        return not (self.after or self.words)


async def _page(wish: _Wish, sort: Sort | None) -> Page:
    """One page in this order; None = newest first, of all that have the words, found by these."""
    sight = wish.sight
    values = _values(wish, COUNTED + 1 if wish.counts else PAGE + 1)
    async with transaction():
        await plan_for_these_values()
        rows = await (_rows_of_unit(values, sight, sort) if sight.department_id else _rows(values, sight, sort))
        most, counted = COUNTED, rows[0]["counted"] if rows else 0
        if counted > most and wish.filters.open and wish.counts:
            most, counted = COUNTED_OPEN, await _count_open(_values(wish, COUNTED_OPEN + 1), sight)
    shown = [_row(row, sight) for row in rows[:PAGE]]
    more = _cursor(shown[-1], sort or Sort.NEWEST) if len(rows) > PAGE else ""
    return Page(shown, more, min(counted, most), counted > most) if wish.counts else Page(shown, more)


def _values(wish: _Wish, most: int) -> tuple[Any, ...]:
    """$1 to $15."""
    filters, sight = wish.filters, wish.sight
    return (
        *(sight.places, *_read_cursor(wish.after), wish.now, filters.open, filters.status, filters.category),
        *(sight.holder_id, filters.department_id, filters.urgent, filters.start, filters.end, filters.overdue),
        *(wish.words, most),
    )


async def _count_open(values: Sequence[Any], sight: Sight) -> int:
    unit = sight.department_id is not None
    counted = fetch(_COUNT_OPEN_OF_UNIT, *_of_unit(values, sight)) if unit else fetch(_COUNT_OPEN, *values)
    return int((await counted)[0]["many"])


async def _rows(values: Sequence[Any], sight: Sight, sort: Sort | None) -> list[dict[str, Any]]:
    wide = _is_wide(sight)
    if sort is None:
        return await fetch(_WITH_WORDS, *values)
    if sort is Sort.NEWEST:
        return await fetch(_WIDE_NEWEST, *values) if wide else await fetch(_NARROW_NEWEST, *values)
    return await fetch(_WIDE_DUE, *values) if wide else await fetch(_NARROW_DUE, *values)


async def _rows_of_unit(values: Sequence[Any], sight: Sight, sort: Sort | None) -> list[dict[str, Any]]:
    theirs = _of_unit(values, sight)
    if sort is None:
        return await fetch(_UNIT_WORDS, *theirs)
    return await fetch(_UNIT_NEWEST, *theirs) if sort is Sort.NEWEST else await fetch(_UNIT_DUE, *theirs)


def _of_unit(values: Sequence[Any], sight: Sight) -> tuple[Any, ...]:
    return sight.colleagues, *values[1:], sight.department_id, sight.places


def _row(row: dict[str, Any], sight: Sight) -> Row:
    known = {name: value for name, value in row.items() if name != "counted"}
    place = mask(row["place"]) if sight.department_id is not None else row["place"]
    return Row(**known | {"status": Status(row["status"]), "place": place})


_NEVER = datetime(9999, 12, 31, tzinfo=UTC)


def _cursor(row: Row, sort: Sort) -> str:
    moment = row.reported_at if sort is Sort.NEWEST else row.due_at or _NEVER
    return f"{moment.isoformat()}|{row.id}"


def _read_cursor(after: str) -> tuple[datetime | None, int | None]:
    """Where a page goes on: (time, case id). Raises BadRequest for what no page gave."""
    if not after:
        return None, None
    try:
        moment, last_id = after.split("|")
        return datetime.fromisoformat(moment), int(last_id)
    except ValueError:
        raise BadRequest(f"cursor {after[:40]!r}", say="这一页打不开了，请回到第一页。") from None
