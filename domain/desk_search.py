"""The words by which cases are found: cut by jieba here, kept by PostgreSQL in `cases.search`.

The database forgets the words of a case whose text changes (migration 0004); `index_missing` cuts them anew. It runs
before every search, so that a search never misses what was written a moment ago, and is nearly free when there is
nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import nlp
from models.database import fetch, to_json, transaction

# Said in every second report, and not what anybody looks for.
_FILLERS = frozenset("的了吗呢吧啊呀哦嗯么着过是在有和与也都就很")
_MOST_WORDS = 12

_MISSING = """
SELECT id, subject, place, description, reported_at FROM cases WHERE search IS NULL
ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
"""
_FILL = """
UPDATE cases c SET search = w.search::tsvector FROM jsonb_to_recordset($1::jsonb) AS w(id bigint, search text)
WHERE c.id = w.id
"""


def search_vector(*texts: str, reported_at: datetime | None = None) -> str:
    """Every word that occurs in these texts, as PostgreSQL reads a tsvector: 'word' 'word'. The month of the report is
    a word as well, so that a search within some months reads nothing of the others."""
    found = {word for text in texts for word in nlp.all_words(text) if word not in _FILLERS}
    if reported_at:
        found.add(month_word(reported_at))
    return " ".join(_quoted(word) for word in sorted(found))


def month_word(at: datetime) -> str:
    """What stands for a month (UTC) among the words: §202611, which nobody types."""
    return f"§{at.astimezone(UTC):%Y%m}"


def within_months(query: str, start: datetime, end: datetime) -> str:
    """A tsquery narrowed to reports of the months from `start` to `end`."""
    month, words = start.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0), []
    while month <= end:
        words.append(_quoted(month_word(month)))
        month = (month + timedelta(days=32)).replace(day=1)
    return f"{query} & ({' | '.join(words)})"


def search_query(text: str) -> str:
    """Every word of `text`, in any order, as PostgreSQL reads a tsquery; "" where nothing is left to look for.

    Of a long word that has shorter ones in it these are asked for, and what is left of it: 楼道灯 is to
    find 楼道的灯 as well.
    """
    found = [word for word in dict.fromkeys(nlp.words(text)) if word not in _FILLERS]
    needed = [part for word in found for part in _parts(word, [other for other in found if other != word])]
    return " & ".join(_quoted(word) for word in list(dict.fromkeys(needed))[:_MOST_WORDS])


def _parts(word: str, others: Sequence[str]) -> list[str]:
    inside = [other for other in others if other in word]
    if not inside:
        return [word]
    rest = word
    for other in sorted(inside, key=len, reverse=True):
        rest = rest.replace(other, "")
    return [*inside, *rest] if rest.isalpha() and not rest.isascii() else inside


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


async def index_missing(limit: int = 500) -> int:
    """Cut the words of all cases that have none, `limit` in a transaction; gives how many. Two at once take different
    cases."""
    done = 0
    while found := await _index_some(limit):
        done += found
    return done


async def _index_some(limit: int) -> int:
    async with transaction():
        rows = await fetch(_MISSING, limit)
        if rows:
            words = [
                {
                    "id": row["id"],
                    "search": search_vector(
                        row["subject"], row["place"], row["description"], reported_at=row["reported_at"]
                    ),
                }
                for row in rows
            ]
            await fetch(_FILL, to_json(words))
    return len(rows)
