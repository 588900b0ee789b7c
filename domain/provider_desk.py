"""Providers at a desk: listed with those that are stopped, read with what residents said, written one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from domain.access import relation
from domain.clock import SHANGHAI
from domain.directory_history import NEW, Change, of_provider
from domain.directory_rows import check_area, check_edits, may_edit, read_code, write_row
from domain.journal import audit
from domain.lookup import in_order
from domain.organisation import take_turn
from domain.people import Person
from domain.privacy import mask
from domain.service_plans import provider_cells
from domain.service_tables import PROVIDERS
from domain.services import seen_areas
from domain.tables import Column, as_text, mark_of
from errors import Conflict, NotFound
from models.cases import Case
from models.database import fetch, transaction
from models.services import Provider, ProviderRating
from models.transitions import Who

#: What people write themselves; the code stays, and that somebody looked at licence and prices is a step of its own.
WRITTEN: Sequence[Column] = [one for one in PROVIDERS.columns if one.name not in ("code", "checked_on")]
_EDIT = "provider:edit"
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider in the list of staff."""

    id: int
    name: str
    kind: str
    phone: str
    checked_on: date | None
    active: bool
    area: str
    stars: float | None
    ratings: int
    complaints: int


# The name is compared as it is written: there are some hundreds at most in one area.
_ROWS = """
SELECT p.id, p.name, p.kind, p.phone, p.checked_on, p.active, coalesce(a.name, '') AS area,
    round(r.stars, 1)::float AS stars, r.count AS ratings,
    (SELECT count(*) FROM provider_complaint o WHERE o.provider_id = p.id) AS complaints
FROM provider p LEFT JOIN area a ON a.id = p.area_id
CROSS JOIN LATERAL (SELECT count(*), avg(stars) AS stars FROM provider_rating WHERE provider_id = p.id) r
WHERE (p.area_id IS NULL OR p.area_id = ANY ($1)) AND ($2 = '' OR p.kind = $2)
    AND ($3 = '' OR position($3 IN p.name || ' ' || p.words) > 0) AND p.id > $4::bigint
ORDER BY p.id LIMIT $5
"""
_KINDS = """
SELECT DISTINCT kind FROM provider WHERE area_id IS NULL OR area_id = ANY ($1) ORDER BY kind LIMIT 50
"""


async def provider_rows(
    person: Person, kind: str = "", words: str = "", *, after: int = 0, limit: int = 50
) -> list[ProviderRow]:
    """For staff: those of their area, stopped ones too; `words`: of the name or of what they do; `after`: the id the
    page before ended with."""
    if person.post is None:
        return []
    return [ProviderRow(**row) for row in await fetch(_ROWS, await seen_areas(person), kind, words, after, limit)]


async def provider_kinds(person: Person) -> list[str]:
    """The kinds there are."""
    return [row["kind"] for row in await fetch(_KINDS, await seen_areas(person))]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a resident said, without their name, telephone numbers masked."""

    stars: int
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ProviderSheet:
    """A provider as staff read them. `cells`: as they are edited; `mark`: of these; `opinions`: the newest;
    `complaints`: those cases about them that this person may read; `changes`: the newest first."""

    provider: Provider
    cells: Mapping[str, str]
    mark: str
    may_edit: bool
    opinions: Sequence[Opinion]
    complaints: Sequence[Case]
    changes: Sequence[Change]


_COMPLAINTS = "SELECT case_id FROM provider_complaint WHERE provider_id = $1 ORDER BY id DESC LIMIT $2"


async def read_provider(person: Person, provider_id: int) -> ProviderSheet:
    """One of staff's area, a stopped one too. Raises NotFound."""
    found = await _seen(person, provider_id, "provider:read")
    cells = as_text(PROVIDERS.columns, provider_cells(found))
    rated = await ProviderRating.filter(provider_id=found.id).order_by("-at", "-id").limit(_SHOWN)
    opinions = [Opinion(one.stars, mask(one.words), one.at) for one in rated]
    cases = await in_order([row["case_id"] for row in await fetch(_COMPLAINTS, found.id, _SHOWN)])
    own = [one for one in cases if await relation(person, one) - {Who.REPORTER, Who.NEIGHBOUR, Who.COLLEAGUE}]
    edits, changes = await may_edit(person, found.area_id), await of_provider(found)
    return ProviderSheet(found, cells, mark_of(cells), edits, opinions, own, changes)


async def _seen(person: Person, provider_id: int, tag: str) -> Provider:
    found = await Provider.filter(id=provider_id).select_related("area").first()
    if found is None or person.post is None or found.area_id not in (None, *await seen_areas(person)):
        raise NotFound(f"provider {provider_id}", say="没有找到这个商家。", tag=tag, object_id=provider_id)
    return found


async def save_provider(
    person: Person, provider_id: int, mark: str, cells: Mapping[str, str], now: datetime, source: str = ""
) -> Provider:
    """A provider as they are to be. `mark`: of what the writer had before them.

    Raises NotFound, NotAllowed, Conflict where somebody changed it meanwhile, BadRequest for what cannot be read.
    """
    async with transaction():
        await take_turn()
        found = await _own(person, provider_id)
        if mark_of(as_text(PROVIDERS.columns, provider_cells(found))) != mark:
            raise Conflict(f"provider {provider_id} was changed", say="刚刚有人改过这一家，请刷新后再改。")
        return await _write(person, found.code, cells, now, source)


async def add_provider(
    person: Person, code: str, cells: Mapping[str, str], now: datetime, source: str = ""
) -> Provider:
    """A new one. Raises NotAllowed, BadRequest, Conflict for a code that is taken."""
    async with transaction():
        await take_turn()
        code = read_code(PROVIDERS, code)
        if await Provider.exists(code=code):
            raise Conflict("provider code is taken", say="这个编码已经有了，请换一个。")
        return await _write(person, code, cells, now, source, NEW)


async def check_provider(person: Person, provider_id: int, now: datetime, source: str = "") -> Provider:
    """Somebody looked at licence and prices today. Raises NotFound, NotAllowed."""
    async with transaction():
        found = await _own(person, provider_id)
        found.checked_on = now.astimezone(SHANGHAI).date()
        await found.save(update_fields=["checked_on"])
        await audit(person.actor, "provider:check", found.id, now, source=source)
        return found


async def _own(person: Person, provider_id: int) -> Provider:
    """Locked, for who writes it."""
    await fetch("SELECT id FROM provider WHERE id = $1 FOR UPDATE", provider_id)
    found = await _seen(person, provider_id, _EDIT)
    await check_edits(person, found.area_id, _EDIT, provider_id)
    return found


async def _write(
    person: Person, code: str, cells: Mapping[str, str], now: datetime, source: str, how: str = ""
) -> Provider:
    await check_area(person, cells.get("area", ""), _EDIT)
    await write_row(person, PROVIDERS, WRITTEN, {"code": code} | dict(cells), now, source)
    found = await Provider.get(code=code)
    await audit(person.actor, _EDIT, found.id, now, source=source, after=how)
    return found
