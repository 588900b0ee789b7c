"""What was changed in the directory, when and by whom: items and providers as the audit trail has it, forms version by
version.

Whoever asks has been let in already: these are parts of what `service_desk`, `provider_desk` and `form_desk` read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.form_tables import FORM_CHANGED, VERSION, write_fields
from domain.service_plans import ITEM_CHANGED, PROVIDER_CHANGED
from domain.service_tables import ITEMS, PROVIDERS
from domain.tables import Table
from models.bookings import ServiceForm
from models.database import fetch
from models.services import Provider, ServiceItem

#: What the audit row of a save carries whose row was not there before.
NEW = "new"
#: The newest that are shown.
_SHOWN = 30
#: Columns that come with a save by themselves.
_BY_THEMSELVES = ("reviewed_on", "reviewer", "checked_on")
_SWITCHED = {"on": "启用了", "off": "停用了"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change: by whom (`name` of staff, else who it was as the audit trail says), what in words; `version`: which
    one it made, 0 = none; `content`: a form's questions as they were from then on."""

    at: datetime
    actor: str
    name: str
    said: Sequence[str]
    version: int = 0
    content: Sequence[str] = ()


# What one person did at one moment is one change.
_TRAIL = """
SELECT t.at, t.actor, coalesce(s.name, '') AS name, t.tags, t.parts FROM (
    SELECT at, actor, array_agg(DISTINCT tag) AS tags, array_agg(DISTINCT after) AS parts, max(id) AS last
    FROM audit_event WHERE tag = ANY ($1) AND object_id = $2 AND allowed
    GROUP BY at, actor ORDER BY at DESC, last DESC LIMIT $3
) t LEFT JOIN staff s ON t.actor = 'staff:' || s.id ORDER BY t.at DESC, t.last DESC
"""


async def of_item(item: ServiceItem) -> Sequence[Change]:
    """The newest first."""
    found, version = [], item.version
    for row in await fetch(_TRAIL, ["service:edit", ITEM_CHANGED, "service:review"], item.id, _SHOWN):
        made = version if "version" in row["parts"] else 0
        version -= bool(made)
        said = _said(ITEMS, row, "核对过，没有改动")
        found.append(Change(row["at"], row["actor"], row["name"], said, made))
    return found


async def of_provider(provider: Provider) -> Sequence[Change]:
    """The newest first."""
    rows = await fetch(_TRAIL, ["provider:edit", PROVIDER_CHANGED, "provider:check"], provider.id, _SHOWN)
    return [Change(row["at"], row["actor"], row["name"], _said(PROVIDERS, row, "看过证照和价格")) for row in rows]


def _said(table: Table, row: Mapping[str, Any], looked: str) -> Sequence[str]:
    parts = {part.removesuffix("_id") for part in row["parts"]}
    heads = [one.head for one in table.columns if one.name in parts and one.name not in _BY_THEMSELVES]
    said = ["新写的"] if NEW in parts else [f"改了{'、'.join(heads)}"] if heads else []
    said += [words for part, words in _SWITCHED.items() if part in parts]
    saved = all(tag.endswith(":edit") for tag in row["tags"])
    return said or ["保存过，没有改动" if saved else looked]


async def of_form(item_id: int) -> Sequence[Change]:
    """An item's form: each version with what it asked, and when it was stopped and taken up again; the newest first."""
    forms = await ServiceForm.filter(item_id=item_id).order_by("-version").limit(_SHOWN + 1)
    rows = await fetch(_TRAIL, [FORM_CHANGED], item_id, 2 * _SHOWN)
    found = [
        Change(row["at"], row["actor"], row["name"], [_SWITCHED[part] for part in row["parts"] if part in _SWITCHED])
        for row in rows
        if not any(part.startswith(VERSION) for part in row["parts"])
    ]
    writers = {part: row for row in rows for part in row["parts"]}
    for place, form in enumerate(forms[:_SHOWN]):
        before = forms[place + 1] if place + 1 < len(forms) else None
        by = writers.get(f"{VERSION}{form.version}", {"actor": "", "name": ""})
        said = compare(before, form) if before else ["第一次写"]
        content = write_fields(form.fields_).splitlines()
        found.append(Change(form.created_at, by["actor"], by["name"], said, form.version, content))
    return sorted(found, key=lambda one: (one.at, one.version), reverse=True)


def compare(old: ServiceForm, new: ServiceForm) -> Sequence[str]:
    """What another version asks otherwise, in sentences; a question is known by its name."""
    before, after = _by_label(old), _by_label(new)
    added, gone = [label for label in after if label not in before], [label for label in before if label not in after]
    said = [f"加了{'、'.join(added)}"] if added else []
    said += [f"去掉了{'、'.join(gone)}"] if gone else []
    said += [
        f"{label}：“{before[label]}”改成“{line}”" for label, line in after.items() if before.get(label, line) != line
    ]
    if [label for label in before if label in after] != [label for label in after if label in before]:
        said.append("换了顺序")
    if old.time_limit != new.time_limit:
        said.append(f"办理时限：“{old.time_limit or '不承诺'}”改成“{new.time_limit or '不承诺'}”")
    return said


def _by_label(form: ServiceForm) -> Mapping[str, str]:
    """Each question's type and what else is said of it, by its name."""
    parts = (line.partition("｜") for line in write_fields(form.fields_).splitlines())
    return {label: rest.replace("｜", "，") for label, _, rest in parts}
