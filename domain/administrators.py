"""三员分立: system, security and audit administrators. Nobody is two of them, and each can be seen by another.

The system administrator keeps the organisation and the settings, the security administrator gives accounts and posts,
the audit administrator reads what both did. (GB/T 22239-2019, 8.1.5 安全管理中心.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.journal import audit
from domain.people import LEVEL_ROLE, Post
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.console import Administrator
from models.database import fetch, transaction
from models.enums import AdminKind, Level
from models.people import Staff

KIND_NAMES = {AdminKind.SYSTEM: "系统管理员", AdminKind.SECURITY: "安全管理员", AdminKind.AUDIT: "审计管理员"}
_ONE_EACH = "一个人只能当一种管理员：系统、安全、审计要分开。请换一个人。"


@dataclass(frozen=True, slots=True)
class Named:
    """An administrator, as lists show them."""

    staff_id: int
    number: str
    name: str
    unit: str
    kind: AdminKind
    given_at: datetime


async def kind_of(staff_id: int) -> AdminKind | None:
    """Which administrator this member of staff is."""
    rows = await fetch("SELECT kind FROM administrator WHERE staff_id = $1", staff_id)
    return AdminKind(rows[0]["kind"]) if rows else None


_ALL = """
SELECT d.staff_id, coalesce(s.code, '') AS number, s.name, coalesce(u.name, a.name) AS unit, d.kind, d.given_at
FROM administrator d JOIN staff s ON s.id = d.staff_id JOIN area a ON a.id = s.area_id
LEFT JOIN department u ON u.id = s.department_id WHERE s.active ORDER BY d.kind, d.given_at
"""


async def list_administrators() -> list[Named]:
    """All of them."""
    return [Named(**row | {"kind": AdminKind(row["kind"])}) for row in await fetch(_ALL)]


async def nobody_yet() -> bool:
    """Whether the installation still waits for its first administrator."""
    return not await Administrator.all().exists()


async def make_first(staff_id: int, now: datetime, source: str = "") -> None:
    """The first administrator of all, by the link that was printed at the first start. In the running transaction;
    raises Conflict once there is one."""
    await fetch("SELECT pg_advisory_xact_lock(hashtext('first administrator'))")
    if not await nobody_yet():
        raise Conflict("there is an administrator", say="已经有管理员了。请找安全管理员开通账号。")
    await Administrator.create(staff_id=staff_id, kind=AdminKind.SYSTEM, given_by=f"staff:{staff_id}", given_at=now)
    await audit(f"staff:{staff_id}", "admin:system", staff_id, now, source=source)


async def appoint(by: Post, staff_id: int, kind: AdminKind, now: datetime, source: str = "") -> None:
    """Make somebody an administrator. The security administrator does; the system administrator may name the first of
    the two others. Raises NotAllowed, NotFound, Conflict."""
    async with transaction():
        mine = await kind_of(by.id)
        first = mine is AdminKind.SYSTEM and not await Administrator.filter(kind=kind).exists()
        if mine is not AdminKind.SECURITY and not first:
            raise NotAllowed("appoint", say="指定管理员由安全管理员办理。", tag="admin:appoint", object_id=staff_id)
        if not await Staff.filter(id=staff_id, active=True).exists():
            raise NotFound(f"staff {staff_id}", say="没有这位工作人员，请核对工号。")
        if staff_id == by.id or await kind_of(staff_id) not in (None, kind):
            raise Conflict("two kinds of administrator", say=_ONE_EACH)
        await Administrator.get_or_create(
            staff_id=staff_id, defaults={"kind": kind, "given_by": by.actor, "given_at": now}
        )
        await audit(by.actor, f"admin:{kind}", staff_id, now, source=source)


async def dismiss(by: Post, staff_id: int, now: datetime, source: str = "") -> None:
    """End an appointment. The last of a kind stays. Raises NotAllowed, Conflict."""
    async with transaction():
        if await kind_of(by.id) is not AdminKind.SECURITY:
            raise NotAllowed("dismiss", say="撤销管理员由安全管理员办理。", tag="admin:dismiss", object_id=staff_id)
        found = await Administrator.filter(staff_id=staff_id).select_for_update().first()
        if found is None:
            raise NotFound(f"administrator {staff_id}", say="这位不是管理员。")
        if await Administrator.filter(kind=found.kind).count() == 1:
            raise Conflict("the last one", say=f"这是唯一的{KIND_NAMES[found.kind]}，请先指定接替的人。")
        await found.delete()
        await audit(by.actor, "admin:dismiss", staff_id, now, source=source)


async def staff_for_setup(number: str, name: str) -> int:
    """Whom the first administrator's link is for: the member of staff with this number, or a new one at the top of the
    organisation. Raises BadRequest, Conflict."""
    if not number.strip():
        raise BadRequest("no number", say="请填工号，以后用它登录。")
    async with transaction():
        found = await Staff.filter(code=number.strip()).first()
        if found:
            if found.name != name.strip() or not found.active:
                raise Conflict("another name", say="这个工号已经登记给别人，请核对姓名，或换一个工号。")
            return found.id
        if not name.strip():
            raise BadRequest("no name", say="请填姓名。")
        top = await fetch("SELECT id, level FROM area WHERE parent_id IS NULL ORDER BY id LIMIT 1")
        if not top:
            raise NotFound("no area", say="还没有导入组织。请先运行 linli import 或 linli demo。")
        made = await Staff.create(
            code=number.strip(), name=name.strip(), role=LEVEL_ROLE[Level(top[0]["level"])], area_id=top[0]["id"]
        )
        return made.id
