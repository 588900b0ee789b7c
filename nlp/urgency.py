"""Is somebody in danger? Finds the kind of emergency a message announces.

Missing one is worse than disturbing a grid worker. In a short message it is the sound of the whole that decides,
learnt from sentences of dangers and of what only sounds like one; words known to announce a danger add to it. In a
letter, where fires and accidents are told as history, such a word must stand, beside a sign that it is happening now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from nlp.catalogue import EmergencyWords, UrgencyTable, catalogue
from nlp.hunch import Hunch, listen, telling
from nlp.lexicon import Hit

_CLAUSE = re.compile(r"[,.!?;:，；\s]")

LETTER = 120
"""Characters from which a message is read as a letter."""
AROUND = 24
"""How near a sign of "now", of the past or of mere talk must stand to a trigger to bear on it."""
DOUBT = 0.0
"""What a message must sound more like a danger than like none; 1.0 is a clear lead."""
TOLD = 0.3
"""What a word known to announce a danger adds to the sound of a message."""
BEFORE = 5
"""How near a word such as 预防 or 没有 must stand before a trigger to undo it."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The emergency found, or an empty `kind`; the category it speaks for, and where the words stand that raised it."""

    kind: str = ""
    category: str = ""
    trigger: Hit | None = None


CALM = Alarm()


def find_alarm(text: str, hits: Mapping[int, Hit], hunch: Hunch | None = None) -> Alarm:
    """The emergency that the folded `text` announces; `hunch` is what it sounds like, where that is known already."""
    if len(text) > LETTER:
        return _told(text, hits)
    hunch = hunch or listen(text)
    if hunch.alarm <= DOUBT - TOLD:
        return CALM
    told = _told(text, hits)
    if told.kind:
        return told
    return _felt(text, hunch.danger) if hunch.alarm > DOUBT else CALM


def _felt(text: str, kind: str) -> Alarm:
    """The alarm of a message no known word of which announces a danger: its loudest piece stands for that word."""
    loudest = next((piece for piece, _ in telling(text, kind, most=1)), text)
    start = text.find(loudest)
    return Alarm(kind, _categories()[kind], (start, start + len(loudest), 1))


@cache
def _categories() -> Mapping[str, str]:
    return {entry.emergency.kind: entry.category for entry in catalogue().urgency.kinds}


def _told(text: str, hits: Mapping[int, Hit]) -> Alarm:
    """The first emergency, in the table's order of precedence, that a known word announces."""
    if _all_triggers().isdisjoint(hits):
        return CALM
    table = catalogue().urgency
    for entry in table.kinds:
        found = [number for number in hits if number in entry.triggers]
        if not found or not entry.calm.isdisjoint(hits) or not table.over.isdisjoint(hits):
            continue
        for number in found:
            if _counts(text, hits[number], entry, table, hits):
                return Alarm(entry.emergency.kind, entry.category, hits[number])
    return CALM


@cache
def _all_triggers() -> frozenset[int]:
    """One look at this tells most messages, which are no emergency of any kind."""
    return frozenset().union(*(entry.triggers for entry in catalogue().urgency.kinds))


def _counts(text: str, trigger: Hit, entry: EmergencyWords, table: UrgencyTable, hits: Mapping[int, Hit]) -> bool:
    """Whether this trigger announces something, rather than tells, fears, practises or asks about it."""
    if _near(table.now, trigger, hits):
        return True
    if len(text) > LETTER:
        return False
    told = any(_near(signs, trigger, hits) for signs in (table.past, table.talk, table.asking))
    if told or (not entry.standing and _near(table.recent, trigger, hits)):
        return False
    return not _undone(text, trigger, table.unreal, hits)


def _near(signs: frozenset[int], trigger: Hit, hits: Mapping[int, Hit]) -> bool:
    first, last, _ = trigger
    for number, (start, end, _) in hits.items():
        if number not in signs:
            continue
        inside = first <= start and end <= last
        if not inside and start - last <= AROUND and first - end <= AROUND:
            return True
    return False


def _undone(text: str, trigger: Hit, signs: frozenset[int], hits: Mapping[int, Hit]) -> bool:
    """Whether a word of `signs` stands right before the trigger, in the same clause."""
    for number, (_, end, _) in hits.items():
        if number not in signs:
            continue
        if 0 <= trigger[0] - end <= BEFORE and not _CLAUSE.search(text, end, trigger[0]):
            return True
    return False
