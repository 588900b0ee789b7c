"""Being forgotten, as far as applications go: item, place, times, state and stars stay as figures, nothing else."""

from __future__ import annotations

from datetime import datetime

from models.database import fetch

_OPEN_ONES = """
WITH over AS (
    UPDATE application SET state = 'withdrawn', ended_at = $2
    WHERE ended_at IS NULL AND (resident_id = $1 OR by = 'resident:' || $1::bigint) RETURNING id
)
INSERT INTO application_event (application_id, at, verb, state, actor, text)
SELECT id, $2, 'withdraw', 'withdrawn', '居民', '' FROM over
"""
# Their pictures, whoever sent them, and the files of results: in nobody else's application.
_PICTURES = """
WITH theirs AS (SELECT id FROM application WHERE resident_id = $1 OR by = 'resident:' || $1::bigint
), shown AS (DELETE FROM application_file WHERE application_id IN (SELECT id FROM theirs) RETURNING upload_id)
DELETE FROM upload u WHERE u.id IN (SELECT upload_id FROM shown) AND NOT EXISTS (
    SELECT FROM application_file o WHERE o.upload_id = u.id AND o.application_id NOT IN (SELECT id FROM theirs)
) RETURNING u.path
"""
_WORDS = """
WITH lines AS (
    UPDATE application_event e SET text = '' FROM application a
    WHERE a.id = e.application_id AND e.text <> '' AND (a.resident_id = $1 OR a.by = 'resident:' || $1::bigint)
)
UPDATE application SET answers = '{}'::jsonb, name = '', phone = '', relation = '', asked = '', result = '',
    comment = ''
WHERE resident_id = $1 OR by = 'resident:' || $1::bigint
"""


_STILL_OPEN = """
SELECT count(*) AS open FROM application
WHERE ended_at IS NULL AND (resident_id = $1 OR by = 'resident:' || $1::bigint)
"""


async def open_applications(resident_id: int) -> int:
    """How many of theirs, or filled in by them, are not decided yet."""
    return int((await fetch(_STILL_OPEN, resident_id))[0]["open"])


async def forget_applications(resident_id: int, now: datetime) -> list[str]:
    """What they applied for, and what they filled in for others: open ones are withdrawn. Gives the files that go."""
    await fetch(_OPEN_ONES, resident_id, now)
    files = [row["path"] for row in await fetch(_PICTURES, resident_id)]
    await fetch(_WORDS, resident_id)
    return [path for path in files if path]
