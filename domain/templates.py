"""Ready sentences (常用语) for staff, by category and by what they are about to do, with the case's facts filled in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from domain.clock import say_deadline
from domain.notices import serial
from domain.people import post_of
from models.cases import Case, ReplyTemplate
from models.database import fetch

VARIABLES = ("number", "subject", "place", "due", "holder")
_VARIABLE = re.compile(r"\{(\w+)\}")

#: (name, verb, text) of what is there before a community writes its own.
DEFAULTS = (
    ("已到现场", "note", "我已到{place}看过，正在处理，{due}给您结果。"),
    ("等配件", "note", "{subject}要换配件，已经在订，到了马上来换，{due}给您回话。"),
    ("已联系责任单位", "note", "{subject}归专门单位管，已经联系他们，有结果告诉您。"),
    ("约时间上门", "note", "想上门看一下，您什么时候在家方便？直接回复就行。"),
    ("已修好", "dispose", "{place}的{subject}已经处理好，请您看看。"),
    ("已清理", "dispose", "{place}已经清理干净，后面会多看几次。"),
)

_FITTING = """
SELECT id FROM reply_template WHERE active AND category IN ('', $1) AND verb IN ('', $2)
ORDER BY category = '', verb = '', id LIMIT $3
"""


async def fitting(case: Case, verb: str = "note", limit: int = 6) -> list[ReplyTemplate]:
    """Templates for a case and a verb, those of its own category first."""
    rows = await fetch(_FITTING, case.category, verb, limit)
    found = {one.id: one for one in await ReplyTemplate.filter(id__in=[row["id"] for row in rows])}
    return [found[row["id"]] for row in rows]


async def fill(template: ReplyTemplate, case: Case, now: datetime) -> str:
    """The template's text with the case's facts."""
    return (await fill_all([template], case, now))[0]


async def fill_all(templates: Sequence[ReplyTemplate], case: Case, now: datetime) -> list[str]:
    """The same for several."""
    holder = await post_of(case.holder_id)
    facts = {
        "number": serial(case.number),
        "subject": case.subject,
        "place": case.place or "现场",
        "due": say_deadline(case.due_at, now) if case.due_at and case.due_at > now else "尽快",
        "holder": holder.label if holder else "社区",
    }
    return [_VARIABLE.sub(lambda found: facts.get(found[1], found[0]), one.text) for one in templates]


def unknown_variables(text: str) -> list[str]:
    """Names in braces that nothing fills in; empty for a good template."""
    return [name for name in _VARIABLE.findall(text) if name not in VARIABLES]


async def add_default_templates() -> int:
    """The shipped ready sentences where there are none; gives how many."""
    if await ReplyTemplate.exists():
        return 0
    await ReplyTemplate.bulk_create([ReplyTemplate(name=name, verb=verb, text=text) for name, verb, text in DEFAULTS])
    return len(DEFAULTS)
