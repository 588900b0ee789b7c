"""Cases people agree on: what a model may learn from."""

from __future__ import annotations

from typing import NamedTuple

from models.database import fetch


class Confirmed(NamedTuple):
    """What was reported, and the category it finally had."""

    text: str
    category: str


async def confirmed_cases(most: int) -> list[Confirmed]:
    """The newest `most` cases that ended well under their category, as residents or staff last set it; oldest first.

    A case counts when it is closed as solved, explained or impossible, the resident did not say it is unsolved, and its
    category is a real one. The same words count once.
    """
    rows = await fetch(_CONFIRMED, most)
    return [Confirmed(row["description"], row["category"]) for row in reversed(rows)]


_CONFIRMED = """
SELECT description, category FROM (
    SELECT DISTINCT ON (md5(description), category) id, description, category FROM cases
    WHERE status = 'closed' AND outcome IN ('solved', 'explained', 'cannot', 'unanswered') AND solved IS NOT FALSE
        AND merged_into_id IS NULL AND category NOT IN ('', 'other') AND length(description) >= 4
        AND description NOT LIKE '（没有文字%'
    ORDER BY md5(description), category, id DESC
) AS confirmed ORDER BY id DESC LIMIT $1
"""
