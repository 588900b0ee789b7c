"""What surveys and follow-ups know of a resident: given to them, forgotten, or moved to who they turned out to be.

Of anonymous answers only that one was given is known: they can neither be shown, nor taken back, nor found.
"""

from __future__ import annotations

from typing import Any

from domain.survey_questions import say_answer
from models.database import fetch, from_json

_ANSWERED = """
SELECT s.title, s.kind, v."on", v.by <> '' AS written_down_by_staff, true AS handed_in, s.questions, a.answers
FROM survey_voter v JOIN survey s ON s.id = v.survey_id LEFT JOIN survey_answer a ON a.voter_id = v.id
WHERE v.resident_id = $1
UNION ALL SELECT s.title, s.kind, NULL, false, false, s.questions, d.answers
FROM survey_draft d JOIN survey s ON s.id = d.survey_id WHERE d.resident_id = $1
"""
_FOLLOW_UPS = """
SELECT c.number, f.state, f.asked_at, f.answered_at, f.note FROM follow_up f JOIN cases c ON c.id = f.case_id
WHERE f.resident_id = $1 ORDER BY f.id
"""


async def surveys_of(resident_id: int) -> list[dict[str, Any]]:
    """What they answered, and what they have begun to, in words; `answers` is None where it was anonymous."""
    found = []
    for row in await fetch(_ANSWERED, resident_id):
        questions, given = from_json(row.pop("questions")), from_json(row["answers"])
        answers = (
            None
            if given is None
            else {
                f"{place}. {one['text']}": say_answer(one, given.get(one["key"]))
                for place, one in enumerate(questions, 1)
            }
        )
        found.append(row | {"answers": answers})
    return found


async def follow_ups_of(resident_id: int) -> list[dict[str, Any]]:
    """How they were asked whether it is still well, and what they said."""
    return await fetch(_FOLLOW_UPS, resident_id)


# Answers stay to be counted, cut loose and without words.
_CUT_LOOSE = """
UPDATE survey_answer a SET voter_id = NULL, answers = a.answers - ARRAY (
    SELECT q->>'key' FROM jsonb_array_elements(s.questions) q WHERE q->>'type' = 'text')
FROM survey_voter v, survey s WHERE v.id = a.voter_id AND s.id = v.survey_id AND v.resident_id = $1
"""


async def forget_surveys(resident_id: int) -> None:
    """Counts stay, in the running transaction: that one answered, and what was chosen, by nobody's name."""
    await fetch("DELETE FROM survey_draft WHERE resident_id = $1", resident_id)
    await fetch(_CUT_LOOSE, resident_id)
    await fetch("UPDATE survey_voter SET resident_id = NULL, member_id = NULL WHERE resident_id = $1", resident_id)
    await fetch("UPDATE follow_up SET note = '' WHERE resident_id = $1", resident_id)


# Who answered twice, as two, answered once: what `stays` said counts. An anonymous second answer cannot be found.
_TWICE = """
DELETE FROM survey_voter v WHERE resident_id = $1
    AND EXISTS (SELECT FROM survey_voter o WHERE o.survey_id = v.survey_id AND o.resident_id = $2)
"""
_DRAFTS = """
UPDATE survey_draft d SET resident_id = $2 WHERE resident_id = $1
    AND NOT EXISTS (SELECT FROM survey_draft o WHERE o.survey_id = d.survey_id AND o.resident_id = $2)
"""


async def move_surveys(gone: int, stays: int) -> None:
    """What `gone` answered becomes what `stays` did, in the running transaction."""
    await fetch(_TWICE, gone, stays)
    await fetch("UPDATE survey_voter SET resident_id = $2 WHERE resident_id = $1", gone, stays)
    await fetch(_DRAFTS, gone, stays)
    await fetch("UPDATE follow_up SET resident_id = $2 WHERE resident_id = $1", gone, stays)
