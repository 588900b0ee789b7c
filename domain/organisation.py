"""导入与导出: an organisation from tables and back. All is checked first; then all is written, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from domain import booking_tables as bookings
from domain import duty_lists as duties
from domain import fact_plans as facts
from domain import form_tables as forms
from domain import organisation_people as people
from domain import organisation_places as places
from domain import service_plans as services
from domain.clock import SHANGHAI
from domain.community import add_default_duties
from domain.fact_tables import KINDS, MEMBERS
from domain.journal import audit
from domain.organisation_plans import Known, Plan
from domain.organisation_tables import (
    ABSENCES,
    AREAS,
    COMPONENTS,
    DEPARTMENTS,
    DUTIES,
    HOUSEHOLDS,
    SPECIAL_DAYS,
    STAFF,
    TABLES,
    TEMPLATES,
)
from domain.service_tables import CLASSES, ITEMS, PROVIDERS
from domain.tables import Cell, Fault, Faults, Row, Sheet, Table, example_row, find_table, is_blank, read_rows
from domain.templates import add_default_templates
from errors import BadRequest
from models.cases import DutyList
from models.database import fetch, transaction
from models.people import Staff

#: Two imports at once would each check against what the other is about to change.
_LOCK = 0x696D706F7274
#: A hundred thousand rows are compared between two statements; nobody waits for what is locked meanwhile.
_TAKE_TIME = "SET LOCAL idle_in_transaction_session_timeout = '5min'"
_EXPLANATION = "说明"

_PLANNERS: dict[str, Callable[[Sequence[Row], Known, Faults], Awaitable[Plan]]] = {
    AREAS.name: places.plan_areas,
    DEPARTMENTS.name: people.plan_departments,
    STAFF.name: people.plan_staff,
    ABSENCES.name: people.plan_absences,
    HOUSEHOLDS.name: places.plan_households,
    COMPONENTS.name: places.plan_components,
    SPECIAL_DAYS.name: places.plan_special_days,
    TEMPLATES.name: people.plan_templates,
    CLASSES.name: services.plan_classes,
    ITEMS.name: services.plan_items,
    PROVIDERS.name: services.plan_providers,
    forms.FORMS.name: forms.plan_forms,
    bookings.PLANS.name: bookings.plan_plans,
    KINDS.name: facts.plan_kinds,
    MEMBERS.name: facts.plan_members,
}
_EXPORTERS: dict[str, Callable[[date], Awaitable[list[list[Cell]]]]] = {
    AREAS.name: places.export_areas,
    DEPARTMENTS.name: people.export_departments,
    STAFF.name: people.export_staff,
    ABSENCES.name: people.export_absences,
    DUTIES.name: duties.export_duties,
    HOUSEHOLDS.name: places.export_households,
    COMPONENTS.name: places.export_components,
    SPECIAL_DAYS.name: places.export_special_days,
    TEMPLATES.name: people.export_templates,
    CLASSES.name: services.export_classes,
    ITEMS.name: services.export_items,
    PROVIDERS.name: services.export_providers,
    forms.FORMS.name: forms.export_forms,
    bookings.PLANS.name: bookings.export_plans,
    KINDS.name: facts.export_kinds,
    MEMBERS.name: facts.export_members,
}


@dataclass(frozen=True, slots=True)
class Tally:
    """What became, or would become, of one table's rows."""

    title: str
    added: int
    changed: int
    dropped: int
    same: int


@dataclass(slots=True)
class ImportReport:
    """What an import found. `written` only if there was no fault and it was no dry run."""

    tallies: list[Tally] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    written: bool = False

    @property
    def changes(self) -> int:
        return sum(tally.added + tally.changed + tally.dropped for tally in self.tallies)


async def import_tables(
    sheets: Sequence[Sheet],
    now: datetime,
    *,
    effective_on: date | None = None,
    dry_run: bool = False,
    by: tuple[str, str] = ("operator", "import"),
) -> ImportReport:
    """Check every row of every sheet; without a fault, and if it is no dry run, write all of it in one transaction.

    Rows that a file lacks stay as they are. `effective_on`: first day of a new duty list, today if not given and not
    in the file; a day in the past counts as today. `by`: whom the audit trail names, and what carried it.
    """
    faults = Faults()
    rows = read_sheets(sheets, faults, await _tables_now(sheets))
    today = now.astimezone(SHANGHAI).date()
    async with transaction():
        await take_turn()
        await fetch(_TAKE_TIME)
        known = await Known.load()
        plans = await _plan(rows, known, faults, now, max(effective_on or today, today))
        report = _report(plans, faults)
        if faults:
            return report
        report.notes = await _notes(plans)
        if not dry_run:
            await _write(plans, known, now, report, by)
    return report


async def take_turn() -> None:
    """Whatever is written by tables is written by one at a time. Whoever looks before they write a row waits here
    first, in the running transaction, and before they lock anything else."""
    await fetch("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def import_row(table: Table, row: Mapping[str, Cell], now: datetime, *, by: tuple[str, str]) -> ImportReport:
    """One row, by its columns' names, as a file with it alone. Raises BadRequest with the first fault."""
    heads = [table.column(name).head for name in row]
    report = await import_tables([Sheet(table.title, [(1, heads), (2, list(row.values()))])], now, by=by)
    if report.faults:
        fault = report.faults[0]
        column = f"{fault.column}：" if fault.column else ""
        raise BadRequest(f"row of {table.name}: {fault.wrong}", say=f"{column}{fault.wrong}。{fault.mend}")
    return report


async def _tables_now(sheets: Sequence[Sheet] = ()) -> list[Table]:
    """All tables, that of household members with a column for each kind of fact."""
    return [await facts.members_now(sheets) if table is MEMBERS else table for table in TABLES]


def read_sheets(sheets: Iterable[Sheet], faults: Faults, tables: Sequence[Table] = TABLES) -> dict[str, list[Row]]:
    """The rows of each table; the explanation and empty sheets are passed over."""
    rows: dict[str, list[Row]] = {}
    for sheet in sheets:
        if sheet.name.strip() == _EXPLANATION or all(is_blank(cell) for _, cells in sheet.rows for cell in cells):
            continue
        table = find_table(sheet, tables)
        if table is None:
            names = "、".join(each.title for each in TABLES)
            faults.sheet(sheet.name, "不知道这是哪张表", f"请把表名改成其中一个：{names}。")
        elif table.name in rows:
            faults.sheet(sheet.name, f"“{table.title}”出现了两次", "同一张表只能有一份，请合在一起。")
        else:
            rows[table.name] = read_rows(table, sheet, faults)
    return rows


async def _plan(rows: dict[str, list[Row]], known: Known, faults: Faults, now: datetime, first_day: date) -> list[Plan]:
    plans: list[Plan] = []
    for table in TABLES:
        if not rows.get(table.name):
            continue
        if table is DUTIES:
            plans.append(await duties.plan_duties(rows[table.name], known, faults, now, first_day))
        else:
            plans.append(await _PLANNERS[table.name](rows[table.name], known, faults))
    return plans


def _report(plans: Sequence[Plan], faults: Faults) -> ImportReport:
    return ImportReport(
        tallies=[
            Tally(plan.table.title, len(plan.added), len(plan.changed), plan.dropped, plan.same) for plan in plans
        ],
        lines=[line for plan in plans for line in _lines(plan)],
        faults=sorted(faults.shown, key=_by_place),
        fault_count=faults.count,
    )


def _lines(plan: Plan) -> list[str]:
    more = len(plan.changed) - len(plan.lines)
    return [*plan.lines, f"{plan.table.title} 还有 {more} 行要改"] if more else plan.lines


def _by_place(fault: Fault) -> tuple[str, int]:
    return fault.sheet, fault.row


async def _notes(plans: Sequence[Plan]) -> list[str]:
    """What somebody should know besides the counts."""
    notes = []
    for plan in plans:
        if isinstance(plan, duties.DutyPlan) and (plan.added or plan.changed or plan.dropped):
            notes.append(f"新的一版职责清单从 {plan.effective_on} 起生效；已经受理的事项仍按原来的。")
            later = await DutyList.filter(effective_on__gt=plan.effective_on).order_by("effective_on").first()
            if later:
                notes.append(f"注意：{later.effective_on} 起还有另一版会接替它，里面没有这次的改动。")
        if plan.table is STAFF:
            notes += await _left_with_work(plan)
    if plans and not await DutyList.exists() and not any(plan.table is DUTIES for plan in plans):
        notes.append("还没有职责清单，先用系统自带的一版；可以导出来改：linli export 职责清单.xlsx --what 职责清单。")
    return notes


_OPEN = """
SELECT s.id, count(*) AS cases FROM staff s JOIN cases c ON c.holder_id = s.id
WHERE s.id = ANY($1::int[]) AND c.status NOT IN ('closed', 'rejected', 'withdrawn', 'merged') GROUP BY s.id
"""


async def _left_with_work(plan: Plan) -> list[str]:
    """People who are put off duty with cases in hand."""
    off = {person.id: person for person in plan.changed if isinstance(person, Staff) and not person.active}
    rows = await fetch(_OPEN, list(off))
    return [f"注意：{off[row['id']].name}手上还有 {row['cases']} 件没办完，请派给别人。" for row in rows]


async def _write(plans: Sequence[Plan], known: Known, now: datetime, report: ImportReport, by: tuple[str, str]) -> None:
    """Everything, with one audit row for each table that changes and those its plan notes. What is shipped fills in
    where there is nothing: a duty list before the first of the community's own, ready sentences after them."""
    if known.areas:
        await add_default_duties()
    for plan in plans:
        await plan.write()
        if plan.added or plan.changed or plan.dropped:
            await audit(by[0], f"{plan.table.name}:import", None, now, source=by[1])
        for tag, object_id, what in plan.noted:
            await audit(by[0], tag, object_id, now, source=by[1], after=what)
        if plan.table is SPECIAL_DAYS:
            await bookings.look_again()
    if known.areas:
        await add_default_templates()
    report.written = True


@dataclass(frozen=True, slots=True)
class Export:
    """One table as it is written out, heads first."""

    table: Table
    rows: list[list[Cell]]


async def export_tables(tables: Sequence[Table], day: date) -> list[Export]:
    """What the database has; `day` chooses the version of the duty list."""
    async with transaction():
        now = {table.name: table for table in await _tables_now()}
        return [Export(now.get(table.name, table), await _EXPORTERS[table.name](day)) for table in tables]


def template_tables(tables: Sequence[Table]) -> list[Export]:
    """Heads and one invented example row each."""
    return [Export(table, [list(example_row(table))]) for table in tables]


def explanation() -> list[list[str]]:
    """The sheet 说明: each column, whether it must be filled in, an example, and what it means."""
    rows = [["表", "列", "要不要填", "例子", "说明"]]
    for table in TABLES:
        rows.append([table.title, "", "", "", table.about])
        for column in table.columns:
            must = "必填" if column.key else "新增时必填" if column.needed else "可不填"
            rows.append(["", column.head, must, column.example, column.note])
    return rows


def parse_day(text: str) -> date:
    """2026-12-01; raises BadRequest."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"day {text!r}", say="日期请写成 2026-12-01。") from None
