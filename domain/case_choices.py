"""What the forms of one case offer to choose from: grids with their workers, colleagues, ready sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import nlp
from domain.access import relation
from domain.duplicates import open_like
from domain.lookup import in_order
from domain.patrols import need_post
from domain.people import Home, Person, ancestors
from domain.reports import Draft
from domain.templates import fill_all, fitting
from errors import BadRequest, NotFound
from models.cases import Case
from models.database import fetch
from models.transitions import Who


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be typed into the forms of one case: grids with their workers, colleagues, ready sentences.

    `likely`: the worker of the grid it lies in, "" where that is not known or was wrong already.
    """

    grids: Sequence[tuple[str, str]]
    likely: str
    colleagues: Sequence[tuple[str, str]]
    notes: Sequence[str]
    results: Sequence[str]


# Of the community the case lies in, else of the dispatcher's own area; who is named alone is meant.
_WORKERS = """
WITH RECURSIVE root AS (
    SELECT coalesce((SELECT parent_id FROM area WHERE id = $1::int AND level = 'grid'), $2::int) AS id
), down AS (
    SELECT a.id, a.name, a.level, a.code FROM area a JOIN root ON root.id = a.id
    UNION ALL SELECT a.id, a.name, a.level, a.code FROM area a JOIN down ON a.parent_id = down.id
)
SELECT s.name AS worker, down.name AS grid, down.id = $1::int AS own,
    (SELECT count(*) FROM cases c WHERE c.holder_id = s.id AND c.closed_at IS NULL) AS busy
FROM down JOIN staff s ON s.area_id = down.id AND s.active AND s.role = 'grid_worker'
WHERE down.level = 'grid' ORDER BY own DESC, down.code, s.id LIMIT 60
"""
_COLLEAGUES = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, level FROM area WHERE id = $1
    UNION ALL SELECT a.id, a.parent_id, a.level FROM up JOIN area a ON a.id = up.parent_id
), scope AS (
    SELECT id FROM up ORDER BY level = 'street' DESC, level = 'district' DESC, level = 'city' DESC LIMIT 1
), down AS (
    SELECT id FROM scope UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT s.name, coalesce(d.name, a.name) AS unit FROM staff s JOIN down ON down.id = s.area_id
JOIN area a ON a.id = s.area_id LEFT JOIN department d ON d.id = s.department_id
WHERE s.active AND s.id <> $2 AND ($3::int IS NULL OR s.id <> $3) ORDER BY d.id IS NULL, s.id LIMIT 60
"""


async def choices(person: Person, case: Case, now: datetime) -> Choices:
    """For somebody who has been shown this case."""
    post = need_post(person, "case:read")
    workers = await fetch(_WORKERS, case.grid_id, post.area_id) if post.dispatches else []
    others = await fetch(_COLLEAGUES, post.area_id, post.id, case.holder_id)
    notes, results = await fitting(case, "note"), await fitting(case, "dispose")
    sentences = await fill_all([*notes, *results], case, now)
    return Choices(
        [(row["worker"], f"{row['grid']}，手上 {row['busy']} 件") for row in workers],
        next((row["worker"] for row in workers if row["own"] and not case.returned), ""),
        [(row["name"], row["unit"]) for row in others],
        sentences[: len(notes)],
        sentences[len(notes) :],
    )


def matter_of(code: str) -> tuple[str, str, str]:
    """(category, subject, domain) of a kind of matter. Raises BadRequest for an unknown one."""
    try:
        kind = nlp.category(code)
    except NotFound:
        raise BadRequest(f"category {code}", say="没有这个类别，请从列出的几类里选一个。") from None
    return kind.code, kind.subject, kind.domain


# One more than is shown, so that it is known whether there are more.
_GRIDS = """
WITH RECURSIVE down AS (
    SELECT id, parent_id, name, level, code FROM area WHERE id = $1
    UNION ALL SELECT a.id, a.parent_id, a.name, a.level, a.code FROM area a JOIN down ON a.parent_id = down.id
)
SELECT down.id, coalesce(p.name, '') || down.name AS name FROM down LEFT JOIN area p ON p.id = down.parent_id
WHERE down.level = 'grid' ORDER BY down.code LIMIT $2
"""
MOST_GRIDS = 100


async def grids_to_choose(person: Person, area_id: int | None) -> Sequence[tuple[int, str]]:
    """The grids of an area of theirs (else of their whole own), with their community's name. Where there are more than
    MOST_GRIDS, a smaller area must be chosen first. Raises NotFound for an area of others."""
    post = need_post(person, "area:read")
    if area_id is not None and post.area_id not in await ancestors(area_id):
        raise NotFound(f"area {area_id}", tag="area:read", object_id=area_id)
    rows = await fetch(_GRIDS, area_id or post.area_id, MOST_GRIDS + 1)
    return [(row["id"], row["name"]) for row in rows]


async def known_already(person: Person, draft: Draft, home: Home, now: datetime) -> Sequence[Case]:
    """Open cases of this person that a report is probably about, the likeliest first."""
    found = await in_order([one.case_id for one in await open_like(draft, home, now)])
    return [case for case in found if await relation(person, case) - {Who.REPORTER, Who.COLLEAGUE}]
