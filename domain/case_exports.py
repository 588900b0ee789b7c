"""A list of cases taken out of the system as a table; who took how many is written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain import desk_pages
from domain.desk_pages import Filters, Page, Row, Sort
from domain.journal import audit
from domain.people import Person

#: Lines of one table. Who needs more narrows the period.
MOST = 3_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which list: its filters, its words ("" = none), its order."""

    filters: Filters
    words: str = ""
    sort: Sort = Sort.NEWEST


async def find_page(person: Person, wanted: Wanted, now: datetime, after: str = "") -> Page:
    """One page of it: found by its words, or in its order."""
    if wanted.words:
        return await desk_pages.search(person, wanted.words, wanted.filters, now, after=after)
    return await desk_pages.list_cases(person, wanted.filters, now, sort=wanted.sort, after=after)


async def export(person: Person, wanted: Wanted, now: datetime, source: str = "") -> tuple[list[Row], bool]:
    """(its lines up to MOST, whether there are more). Raises as the list does."""
    rows: list[Row] = []
    after = ""
    while len(rows) < MOST:
        page = await find_page(person, wanted, now, after)
        rows += page.rows
        after = page.next
        if not after:
            break
    await audit(person.actor, "case:export", None, now, source=source, after=f"{len(rows[:MOST])} 件")
    return rows[:MOST], bool(after) or len(rows) > MOST
