"""The table of what can be booked (预约): opening hours a line each, how far ahead, reminders. Out and in again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from domain import table_values as read
from domain.booking_hours import MOST_LINES, read_line, write_line
from domain.organisation_plans import Known, Plan, given, refuse_lost_zeros, resolve
from domain.tables import Cell, Column, Faults, Row, Table, Wrong
from models.bookings import BookingPlan
from models.database import fetch
from models.enums import PlanKind
from models.services import ServiceItem

MOST_REMINDERS = 3
_UNITS = {"天": 1440, "日": 1440, "小时": 60, "分钟": 1, "分": 1}
_SPAN = re.compile(r"(?:提前)?(\d{1,3})个?(天|日|小时|分钟|分)(?:前)?")
_WEEK = 7 * 1440


def week(cell: Cell) -> list[dict[str, Any]]:
    """One span of opening hours a line."""
    found: str = read.text(4000, lines=True)(cell)
    return read_week([line for line in found.split("\n") if line.strip()])


def read_week(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Lines of opening hours as they are stored. Raises Wrong."""
    if not 1 <= len(lines) <= MOST_LINES:
        raise Wrong(f"有 {len(lines)} 行", f"写 1 到 {MOST_LINES} 行开放时间。")
    return [read_line(line) for line in lines]


def reminders(cell: Cell) -> list[int]:
    """`1天、2小时` as minutes before the begin, the longest first."""
    return sorted({_minutes(word) for word in _words(cell)}, reverse=True)


def _words(cell: Cell) -> list[str]:
    words = read.words(cell)
    if len(words) > MOST_REMINDERS:
        raise Wrong(f"有 {len(words)} 个提醒", f"最多提醒 {MOST_REMINDERS} 次。")
    return words


def _minutes(word: str) -> int:
    found = _SPAN.fullmatch(word)
    minutes = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 10 <= minutes <= _WEEK:
        raise Wrong(f"“{word[:10]}”不对", "写 1天、2小时、30分钟 这样，10 分钟到 7 天之间。")
    return minutes


def write_reminders(minutes: Sequence[int]) -> str:
    """As `reminders` reads them."""
    return "、".join(_written(one) for one in minutes)


def _written(minutes: int) -> str:
    if minutes % 1440 == 0:
        return f"{minutes // 1440}天"
    return f"{minutes // 60}小时" if minutes % 60 == 0 else f"{minutes}分钟"


PLANS = Table(
    "booking_plans",
    "预约",
    "窗口、律师值班等可以预约的时间：哪些日子、几点到几点、每号几分钟、几个号",
    (
        Column("code", "编码", read.code, "sbck", "自己定的短编码，不重复", key=True),
        Column("item", "事项编码", read.code, "ylbx", "服务事项表里的编码；写了，办事指南里就能直接预约"),
        Column("title", "名称", read.text(32), "社保窗口", needed=True),
        Column("place", "地点", read.text(200), "社区服务大厅 2 号窗口"),
        Column("phone", "电话", read.phone, "027-55501234"),
        Column("area", "区域编码", read.area_code, "429906001001", "住在这里和下面的居民可以约", needed=True),
        Column(
            "week", "开放时间", week, "工作日｜9:00-11:30｜30｜2", "每行：日子｜时间｜每号几分钟｜几个号", needed=True
        ),
        Column("opens_days", "提前几天", read.number(0, 60), "7", "提前几天可以约"),
        Column("closes_minutes", "截止分钟", read.number(0, 10080), "60", "开始前多少分钟停止预约"),
        Column("cancel_minutes", "取消分钟", read.number(0, 10080), "120", "开始前多少分钟以后取消算临时取消"),
        Column("per_person", "每人可约", read.number(1, 20), "1", "同一个人同时最多约几次"),
        Column("waiting_most", "候补人数", read.number(0, 100), "10", "约满后最多几人候补；0 = 不候补"),
        Column("remind_minutes", "提醒", reminders, "1天、2小时", "开始前多久提醒，最多三次"),
        Column("strikes", "爽约次数", read.number(0, 20), "3", "几次没来就暂停预约；0 = 不暂停"),
        Column("strike_days", "爽约天数", read.number(1, 365), "90", "多少天内的算在一起"),
        Column("pause_days", "暂停天数", read.number(1, 365), "30", "暂停多少天"),
        Column("active", "启用", read.flag, "是", "写 停用 就不能再约", clears=False),
    ),
)
_FIELDS: tuple[str, ...] = (
    "title",
    "place",
    "phone",
    "week",
    "opens_days",
    "closes_minutes",
    "cancel_minutes",
    "per_person",
)
_FIELDS += ("waiting_most", "remind_minutes", "strikes", "strike_days", "pause_days", "active")
#: After a change of these the slots are made as the plan says.
TIMES = ("week", "opens_days", "active")


async def plan_plans(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """A plan is known by its code. Seats that are taken stay, whatever changes."""
    plan = Plan(PLANS, BookingPlan, faults)
    items = {each.code: each.id for each in await ServiceItem.all()} | known.services
    there = {each.code: each for each in await BookingPlan.all()}
    for row in rows:
        code, before = row.get("code"), faults.count
        found = there.get(code)
        if found and found.kind is not PlanKind.COUNTER:
            faults.cell(row, "code", "是一个活动的编码", "换一个编码；活动在活动里改。")
        links = _links(row, known, items, faults)
        if not plan.is_new(row, code) or faults.count > before or (found is None and not plan.complete(row)):
            continue
        fields = given(row, BookingPlan, *_FIELDS) | links
        if found and any(getattr(found, name) != fields[name] for name in TIMES if name in fields):
            fields["made_until"] = None
        plan.put(row, found, fields if found else {"code": code} | fields)
    return plan


def _links(row: Row, known: Known, items: dict[str, int], faults: Faults) -> dict[str, Any]:
    links: dict[str, Any] = {}
    if "area" in row.values and not refuse_lost_zeros(row, "area", known.areas, faults):
        area = resolve(row, "area", known.areas, faults, "区域")
        links |= {"area_id": area.id} if area else {}
    if (chosen := resolve(row, "item", items, faults, "服务事项")) is not None:
        links["item_id"] = chosen
    elif "item" in row.values and row.values["item"] is None:
        links["item_id"] = None
    return links


async def export_plans(_: date) -> list[list[Cell]]:
    """As an import takes them; activities are not among them."""
    rows = await BookingPlan.filter(kind=PlanKind.COUNTER).order_by("code").select_related("item", "area")
    return [
        [
            row.code,
            row.item.code if row.item else None,
            row.title,
            row.place,
            row.phone,
            row.area.code,
            "\n".join(map(write_line, row.week)),
            row.opens_days,
            row.closes_minutes,
            row.cancel_minutes,
            row.per_person,
            row.waiting_most,
            write_reminders(row.remind_minutes) or None,
            row.strikes,
            row.strike_days,
            row.pause_days,
            "是" if row.active else "否",
        ]
        for row in rows
    ]


async def look_again() -> None:
    """Slots are looked through once more where the calendar changed; in the running transaction."""
    await fetch("UPDATE booking_plan SET made_until = made_until - 366 WHERE made_until IS NOT NULL")
