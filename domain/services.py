"""服务导航: what a person can look up where they live or work, found by class or by whatever they call it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from domain.people import Person
from errors import NotFound
from models.database import fetch, from_json
from models.services import ServiceClass, ServiceItem
from nlp.search import Directory, Item, wanted

__all__ = [
    "Found",
    "Hit",
    "ServiceItem",
    "classes",
    "find_item",
    "list_items",
    "overdue_reviews",
    "place_of",
    "search",
    "seen_areas",
    "surely",
]

#: After this time somebody should look again whether an item is still right.
REVIEW_EVERY = timedelta(days=180)
#: Directories kept ready: one for each set of areas people of which ask.
_KEPT = 32
#: Characters from which a name in a question is no chance.
_WHOLE_NAME = 4
_KIND, _ITEM = "kind:", "item:"

# The areas a person lives or works in with all above them, and below their post.
_SEEN = """
WITH RECURSIVE up AS (
    SELECT id, parent_id FROM area WHERE id IN ($1, $2)
    UNION
    SELECT a.id, a.parent_id FROM area a JOIN up ON a.id = up.parent_id
), down AS (
    SELECT id FROM area WHERE id = $2
    UNION ALL
    SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT id FROM up UNION SELECT id FROM down
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: an item, or a kind of providers."""

    item: ServiceItem | None
    kind: str = ""

    @property
    def name(self) -> str:
        return self.item.title if self.item else self.kind


@dataclass(frozen=True, slots=True)
class Found:
    """What a question leads to, the best first. `clear`: the first is surely meant. `meant`: names to offer as
    "您是不是要找"."""

    hits: Sequence[Hit] = ()
    clear: bool = False
    meant: Sequence[str] = ()


async def seen_areas(person: Person) -> list[int]:
    """The areas whose items and providers this person may look up; those of no area are everybody's."""
    home, post = person.home, person.post
    rows = await fetch(_SEEN, home.grid_id if home else 0, post.area_id if post else 0)
    return [row["id"] for row in rows]


async def classes() -> list[ServiceClass]:
    """The classes in the order of the menu."""
    return await ServiceClass.filter(active=True).order_by("position", "code")


_LISTED = """
SELECT i.id FROM service_item i JOIN service_class c ON c.id = i.service_class_id
WHERE i.active AND c.active AND (i.area_id IS NULL OR i.area_id = ANY ($1)) AND ($2 = '' OR c.code = $2)
    AND (c.position, i.position, i.id) > ($3, $4, $5)
ORDER BY c.position, i.position, i.id LIMIT $6
"""


async def list_items(
    person: Person, class_code: str = "", *, beyond: tuple[int, int, int] = (0, 0, 0), limit: int = 20
) -> list[ServiceItem]:
    """A class's items (all where none is named), what is asked most first; `beyond`: see `place_of`."""
    rows = await fetch(_LISTED, await seen_areas(person), class_code, *beyond, limit)
    return await _in_order([row["id"] for row in rows])


def place_of(item: ServiceItem) -> tuple[int, int, int]:
    """Where an item stands in `list_items`."""
    return item.service_class.position, item.position, item.id


async def find_item(person: Person, code: str) -> ServiceItem:
    """An item by its code. Raises NotFound for one that is not there, or not for this person's area."""
    item = await ServiceItem.filter(code=code, active=True).select_related("service_class", "department").first()
    if item is None or not item.service_class.active:
        raise _absent(code, None)
    if item.area_id is not None and item.area_id not in await seen_areas(person):
        raise _absent(code, item.id)
    return item


def _absent(code: str, item_id: int | None) -> NotFound:
    say, chat = "没有找到这项服务，可能已经停了。", "换个说法问问，或回复“服务导航”看全部。"
    return NotFound(f"service {code[:20]!r}", say=say, chat=chat, tag="service:read", object_id=item_id)


async def search(person: Person, question: str, limit: int = 5) -> Found:
    """What a resident may mean, in their words, misspelt or in pinyin; empty where nothing fits."""
    ready = await _searched(await seen_areas(person))
    answer = await asyncio.to_thread(lambda: _directory(ready).search(question, limit))
    keys = [one.item.key for one in answer.ranked]
    items = await _in_order([int(key.removeprefix(_ITEM)) for key in keys if key.startswith(_ITEM)])
    by_key = {f"{_ITEM}{item.id}": item for item in items}
    hits = [Hit(by_key.get(key), "" if key in by_key else key.removeprefix(_KIND)) for key in keys]
    return Found(hits, answer.clear or _named(question, hits), answer.meant)


async def surely(person: Person, question: str) -> ServiceItem | None:
    """The one item a question names, for where everybody reads the answer: its whole name, or all that is left of the
    question without fillers. None where anything else may be meant."""
    hits = (await search(person, question)).hits
    if hits and _named(question, hits):
        return hits[0].item
    asked = wanted(question)
    called = [hit.item for hit in hits if hit.item and asked in map(wanted, (hit.item.title, *hit.item.aliases))]
    return called[0] if len(called) == 1 and len(asked) > 1 else None


def _named(question: str, hits: Sequence[Hit]) -> bool:
    """Whether the first alone is called by its whole name."""
    names = [(hit.item.title, *hit.item.aliases) if hit.item else () for hit in hits]
    called = [any(len(name) >= _WHOLE_NAME and name in question for name in some) for some in names]
    return called[:1] == [True] and sum(called) == 1


@lru_cache(maxsize=_KEPT)
def _directory(items: tuple[Item, ...]) -> Directory:
    """A directory is made anew when what it holds has changed, and kept while it is asked."""
    return Directory(items)


_TEXTS = """
SELECT $2 || i.id AS key, i.title AS name, i.aliases, i.keywords, i.summary AS text
FROM service_item i JOIN service_class c ON c.id = i.service_class_id
WHERE i.active AND c.active AND (i.area_id IS NULL OR i.area_id = ANY ($1))
UNION ALL
SELECT $3 || p.kind, p.kind, '[]'::jsonb, string_agg(p.words, ' ' ORDER BY p.id), ''
FROM provider p WHERE p.active AND (p.area_id IS NULL OR p.area_id = ANY ($1)) GROUP BY p.kind
ORDER BY key
"""


async def _searched(areas: Sequence[int]) -> tuple[Item, ...]:
    """Items, and each kind of provider by what they do."""
    rows = await fetch(_TEXTS, areas, _ITEM, _KIND)
    return tuple(_search_item(row["key"], row) for row in rows)


def _search_item(key: str, row: dict[str, str]) -> Item:
    words = tuple(row["keywords"].split())
    if key.startswith(_KIND):  # what they do is what they are called
        return Item(key, row["name"], tuple(dict.fromkeys(words)))
    return Item(key, row["name"], tuple(from_json(row["aliases"])), words, row["text"])


async def _in_order(ids: list[int]) -> list[ServiceItem]:
    found = {item.id: item for item in await ServiceItem.filter(id__in=ids).select_related("service_class")}
    return [found[item_id] for item_id in ids if item_id in found]


_OVERDUE = """
SELECT id FROM service_item WHERE active AND (area_id IS NULL OR area_id = ANY ($1))
    AND (reviewed_on IS NULL OR reviewed_on < $2)
ORDER BY reviewed_on NULLS FIRST, id LIMIT $3
"""


async def overdue_reviews(person: Person, today: date, limit: int = 50) -> list[ServiceItem]:
    """Items of staff's area that nobody has looked at for half a year, those never looked at first."""
    if person.post is None:
        return []
    rows = await fetch(_OVERDUE, await seen_areas(person), today - REVIEW_EVERY, limit)
    return await _in_order([row["id"] for row in rows])
