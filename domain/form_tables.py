"""The table of application forms (申请表): which item, its fields a line each, how long it takes. Out and in again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from domain import table_values as read
from domain.forms import MOST_PHOTOS, Field, FieldType, read_fields
from domain.organisation_plans import Known, Plan, resolve, switched
from domain.tables import Cell, Column, Faults, Row, Table, Wrong
from models.bookings import ServiceForm
from models.services import ServiceItem

#: How people write what a field takes.
TYPES = {
    "文字": FieldType.TEXT,
    "长文": FieldType.LONG,
    "数字": FieldType.NUMBER,
    "日期": FieldType.DATE,
    "电话": FieldType.PHONE,
    "身份证号": FieldType.ID_NUMBER,
    "单选": FieldType.CHOICE,
    "多选": FieldType.CHOICES,
    "是否": FieldType.YES_NO,
    "照片": FieldType.PHOTO,
    "位置": FieldType.POSITION,
}
TYPE_NAMES = {kind: name for name, kind in TYPES.items()}
MOST_FIELDS, MOST_OPTIONS = 15, 9
#: Audit tag: a new version of an item's form (`version 2`), or it is stopped (`off`) or taken up again (`on`).
FORM_CHANGED, VERSION = "form:change", "version "
_BAR = re.compile(r"\s*[|｜]\s*")
_BOUNDS = re.compile(r"(\d{0,6})\s*[-~到]\s*(\d{0,6})")
_OPTIONAL = ("选填", "可不填")
_FORM = "每行写：名称｜类型｜必填 或 选填｜选项或范围｜提示；只有名称和类型一定要写。"


def fields(cell: Cell) -> list[dict[str, Any]]:
    """One field a line: `申请人身份证号｜身份证号｜必填`, `户型｜单选｜必填｜一居、两居`, `照片｜照片｜选填｜1-3`."""
    found: str = read.text(4000, lines=True)(cell)
    lines = [line.strip() for line in found.split("\n") if line.strip()]
    if not 1 <= len(lines) <= MOST_FIELDS:
        raise Wrong(f"有 {len(lines)} 行", f"一张表 1 到 {MOST_FIELDS} 项，请合并几项。")
    made = [_field(f"f{place}", line) for place, line in enumerate(lines, 1)]
    if len({one.label for one in made}) < len(made):
        raise Wrong("有两行名称一样", "每一项的名称要不同。")
    return [one.stored() for one in made]


def _field(key: str, line: str) -> Field:
    label, kind, needed, bounds, hint, *rest = [*_BAR.split(line), "", "", "", ""]
    if any(rest) or not label or len(label) > 20 or kind not in TYPES or needed not in ("", "必填", *_OPTIONAL):
        raise Wrong(f"“{line[:20]}”看不懂", f"{_FORM}类型可以写 {'、'.join(TYPES)}。")
    chosen = TYPES[kind]
    options = _options(label, bounds) if chosen in (FieldType.CHOICE, FieldType.CHOICES) else []
    least, most = (None, None) if options or not bounds else _bounds(label, bounds)
    if chosen is FieldType.PHOTO and (most or 0) > MOST_PHOTOS:
        raise Wrong(f"{label}的照片太多", f"一项最多 {MOST_PHOTOS} 张。")
    return Field(key, label, chosen, needed not in _OPTIONAL, options, least, most, hint[:60])


def _options(label: str, said: str) -> list[str]:
    found = list(dict.fromkeys(part for part in re.split(r"[、,，/]", said) if part))
    if not 2 <= len(found) <= MOST_OPTIONS or any(len(one) > 20 for one in found):
        raise Wrong(f"{label}的选项不对", f"选项写 2 到 {MOST_OPTIONS} 个，用顿号隔开，每个 20 字内。")
    return found


def _bounds(label: str, said: str) -> tuple[int | None, int | None]:
    parts = _BOUNDS.fullmatch(said)
    low, high = (int(part) if part else None for part in parts.groups()) if parts else (None, None)
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        raise Wrong(f"{label}的范围看不懂", "范围写 1-3 的样子：最少几个字、几张或多大，到最多。")
    return low, high


def write_fields(stored: Sequence[dict[str, Any]]) -> str:
    """As `fields` reads them."""
    return "\n".join(_written(one) for one in read_fields(stored))


def write_limits(field: Field) -> str:
    """A field's options, or its range."""
    low, high = ("" if bound is None else str(bound) for bound in (field.least, field.most))
    return "、".join(field.choices) or (f"{low}-{high}" if low or high else "")


def _written(field: Field) -> str:
    needed = "必填" if field.required else "选填"
    return "｜".join([field.label, TYPE_NAMES[field.type], needed, write_limits(field), field.hint]).rstrip("｜")


FORMS = Table(
    "application_forms",
    "申请表",
    "可以网上申请的事项，和要填的每一项",
    (
        Column("code", "事项编码", read.code, "jzz", "服务事项表里的编码", key=True),
        Column("fields", "填写项", fields, "申请人姓名｜文字｜必填", _FORM, needed=True),
        Column("time_limit", "办理时限", read.limit, "15工作日", "不写 = 不承诺时限"),
        Column("active", "启用", read.flag, "是", "写 停用 就不再在网上申请", clears=False),
    ),
)


async def _newest() -> dict[str, ServiceForm]:
    """Each item's newest form, by the item's code."""
    forms = await ServiceForm.all().order_by("version").select_related("item")
    return {form.item.code: form for form in forms}


async def plan_forms(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """A form is known by its item. Other fields or another limit are a new version: who applied before keeps theirs."""
    plan = Plan(FORMS, ServiceForm, faults)
    items = {each.code: each.id for each in await ServiceItem.all()} | known.services
    there, now = await _newest(), datetime.now(UTC)
    for row in rows:
        code, before = row.get("code"), faults.count
        item_id, found = resolve(row, "code", items, faults, "服务事项"), there.get(code)
        if not plan.is_new(row, code) or faults.count > before or (found is None and not plan.complete(row)):
            continue
        last = found or ServiceForm(fields_=[], version=0)
        content = {
            "fields_": row.get("fields") or last.fields_,
            "time_limit": row.values.get("time_limit", last.time_limit) or "",
        }
        active = row.get("active", last.active)
        changed = [switched("active", active)] if found and active != found.active else []
        if found and all(getattr(found, name) == value for name, value in content.items()):
            plan.put(row, found, {"active": active})
        else:
            new = {"item_id": item_id, "version": last.version + 1, "active": active, "created_at": now}
            plan.put(row, None, new | content)
            changed.append(f"{VERSION}{last.version + 1}")
        plan.noted += [(FORM_CHANGED, item_id, what) for what in changed if item_id]
    return plan


async def export_forms(_: date) -> list[list[Cell]]:
    """The newest form of each item."""
    return [form_cells(code, form) for code, form in sorted((await _newest()).items())]


def form_cells(code: str, form: ServiceForm) -> list[Cell]:
    """A form as a row of its table, by its item's code."""
    return [code, write_fields(form.fields_), form.time_limit or None, "是" if form.active else "否"]
