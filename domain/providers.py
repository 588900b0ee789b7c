"""家政、餐饮、维修 …: who offers help nearby, what neighbours think of them; a complaint becomes a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import nlp
from domain.journal import audit
from domain.people import Person
from domain.reports import Draft, Receipt, report
from domain.services import seen_areas
from errors import BadRequest, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import Source
from models.services import ProviderComplaint

_OTHER = "other"
#: Ratings from which an average says something.
ENOUGH_RATINGS = 3


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """A provider as residents see them. `stars`: the average of their ratings, None while there are too few;
    `complaints`: cases about them in the last year."""

    id: int
    name: str
    kind: str
    words: str
    phone: str
    place: str
    price: str
    checked_on: date | None
    stars: float | None
    ratings: int
    complaints: int


_LINES = """
SELECT p.id, p.name, p.kind, p.words, p.phone, p.place, p.price, p.checked_on,
    CASE WHEN r.count >= $6 THEN round(r.stars, 1)::float END AS stars, r.count AS ratings,
    (SELECT count(*) FROM provider_complaint o JOIN cases c ON c.id = o.case_id
        WHERE o.provider_id = p.id AND c.reported_at > $5::timestamptz - interval '1 year'
            AND c.status NOT IN ('withdrawn', 'rejected')) AS complaints
FROM provider p
CROSS JOIN LATERAL (SELECT count(*), avg(stars) AS stars FROM provider_rating WHERE provider_id = p.id) r
WHERE p.active AND (p.area_id IS NULL OR p.area_id = ANY ($1)) AND ($2 = '' OR p.kind = $2)
    AND ($3::bigint = 0 OR p.id = $3::bigint) AND p.id > $4::bigint
ORDER BY CASE WHEN $7 THEN 0 ELSE coalesce(r.stars, 4) END DESC, p.id LIMIT $8
"""


async def best_providers(person: Person, kind: str, now: datetime, limit: int = 5) -> list[ProviderLine]:
    """Those of a kind, whom neighbours like best first."""
    rows = await fetch(_LINES, await seen_areas(person), kind, 0, 0, now, ENOUGH_RATINGS, False, limit)
    return [ProviderLine(**row) for row in rows]


async def list_providers(
    person: Person, kind: str, now: datetime, *, after: int = 0, limit: int = 20
) -> list[ProviderLine]:
    """All (of a kind, where one is named) by id; `after` = the id the page before ended with."""
    rows = await fetch(_LINES, await seen_areas(person), kind, 0, after, now, ENOUGH_RATINGS, True, limit)
    return [ProviderLine(**row) for row in rows]


async def find_provider(person: Person, provider_id: int, now: datetime) -> ProviderLine:
    """One of them. Raises NotFound for one that is not there, or not for this person's area."""
    areas = await seen_areas(person)
    rows = await fetch(_LINES, areas, "", provider_id, 0, now, ENOUGH_RATINGS, True, 1)
    if not rows:
        say, chat = "没有找到这家，可能已经停用了。", "回复“服务导航”看别的。"
        raise NotFound(f"provider {provider_id}", say=say, chat=chat, tag="provider:read", object_id=provider_id)
    return ProviderLine(**rows[0])


def _check_resident(person: Person, verb: str, found: ProviderLine) -> None:
    """Staff have opinions as residents, or none."""
    if not person.resident_id:
        say = "只有居民可以打分和投诉。"
        raise NotAllowed(f"{person.actor} is no resident", say=say, tag=verb, object_id=found.id)


_RATE = """
INSERT INTO provider_rating (provider_id, resident_id, stars, words, at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (provider_id, resident_id)
    DO UPDATE SET stars = excluded.stars, words = excluded.words, at = excluded.at
"""


async def rate_provider(
    person: Person, provider_id: int, stars: int, words: str, now: datetime, source: str = ""
) -> ProviderLine:
    """A resident's opinion, 1 to 5 stars; the last one counts. Gives the provider with it."""
    if not 1 <= stars <= 5:
        raise BadRequest(f"{stars} stars", say="请打 1 到 5 分，5 分最满意。")
    async with transaction():
        found = await find_provider(person, provider_id, now)
        _check_resident(person, "provider:rate", found)
        await fetch(_RATE, found.id, person.resident_id, stars, words[:200], now)
        await audit(person.actor, "provider:rate", found.id, now, source=source)
        return await find_provider(person, provider_id, now)


async def complain(
    person: Person,
    provider_id: int,
    words: str,
    now: datetime,
    *,
    source: Source = Source.WECHAT,
    via: str = "",
    message_id: int | None = None,
) -> Receipt:
    """A complaint becomes a case of the resident's grid, in their words."""
    if not words.strip():
        raise BadRequest("no words", say="请说一句哪里不满意，才好去处理。")
    async with transaction():
        found = await find_provider(person, provider_id, now)
        _check_resident(person, "provider:complain", found)
        seen = nlp.understand(words)
        draft = Draft(
            description=f"投诉{found.kind}“{found.name}”：{words}",
            category=seen.category or _OTHER,
            subject=f"投诉{found.name}"[:30],
            domain=seen.domain or "",
            place=found.place,
            source=source,
            via=via,
        )
        receipt = await report(person, draft, now, message_id=message_id)
        await ProviderComplaint.create(provider_id=found.id, case_id=receipt.case.id)
    return receipt
