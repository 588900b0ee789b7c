"""What residents tell of themselves, each part on the ground of its own consent: nickname and name, telephone, grid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from domain.consents import need_own
from domain.journal import MINI, audit
from domain.people import GridChoice, Home, Person, join_grid, person_of
from domain.publishing import is_public
from errors import BadRequest, NotAllowed
from models.database import fetch, transaction
from models.enums import Purpose

_PHONE = re.compile(r"\+?\d{5,19}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
#: Nobody but them may look like staff in a room.
_POSTS = re.compile(r"网格员|社区|街道|居委|物业|公安|民警|派出所|城管|政府|官方|管理员|助手|邻里")


@dataclass(frozen=True, slots=True)
class Profile:
    """One resident as they themselves read it. `minor` is None until they were asked; `linked`: also a follower of the
    official account, who is told things there."""

    nickname: str
    name: str
    phone: str
    minor: bool | None
    linked: bool


async def read_profile(person: Person) -> Profile:
    """The person's own. Staff signed in by a code alone have an empty one."""
    rows = await fetch("SELECT openid, nickname, name, phone, minor FROM resident WHERE id = $1", person.resident_id)
    if not rows:
        return Profile("", "", "", None, False)
    row = rows[0]
    return Profile(row["nickname"], row["name"], row["phone"], row["minor"], not row["openid"].startswith(MINI))


async def set_names(
    person: Person, now: datetime, *, nickname: str | None = None, name: str | None = None, source: str = ""
) -> Profile:
    """Change nickname (rooms show it) or name (staff who handle a case read it); "" takes it away, None leaves it.

    Raises ConsentNeeded, BadRequest for a nickname nobody may have.
    """
    new_nickname, new_name = _tidy(nickname), _tidy(name)
    if new_nickname:
        _check_nickname(new_nickname)
    async with transaction():
        _resident_only(person)
        if new_nickname or new_name:
            await need_own(person, Purpose.PROFILE)
        await fetch(
            "UPDATE resident SET nickname = coalesce($2, nickname), name = coalesce($3, name) WHERE id = $1",
            person.resident_id,
            new_nickname,
            new_name,
        )
        await audit(person.actor, "resident:set_names", person.resident_id, now, source=source)
        return await read_profile(person)


def _tidy(text: str | None) -> str | None:
    return None if text is None else " ".join(_UNPRINTABLE.sub("", text).split())


def _check_nickname(nickname: str) -> None:
    if _POSTS.search(nickname):
        raise BadRequest("nickname of a post", say="昵称不能像工作人员或单位，请换一个。")
    if re.search(r"\d{7,}", nickname):
        raise BadRequest("number in a nickname", say="昵称里不要写电话或证件号，邻居都能看到。请换一个。")
    if not is_public(nickname):
        raise BadRequest("nickname not fit for the public", say="这个昵称不合适，请换一个。")


async def may_give_phone(person: Person) -> None:
    """Whether WeChat may be asked for their number at all. Raises ConsentNeeded, NotAllowed."""
    _resident_only(person)
    await need_own(person, Purpose.PHONE)


async def set_phone(person: Person, phone: str, now: datetime, source: str = "") -> Profile:
    """Keep the number WeChat gave for the code of the phone-number button; "" forgets it. Raises ConsentNeeded."""
    if phone and not _PHONE.fullmatch(phone):
        raise BadRequest("no phone number", say="没有取到手机号，请再试一次。")
    async with transaction():
        _resident_only(person)
        if phone:
            await need_own(person, Purpose.PHONE)
        await fetch("UPDATE resident SET phone = $2 WHERE id = $1", person.resident_id, phone)
        await audit(person.actor, "resident:set_phone", person.resident_id, now, source=source)
        return await read_profile(person)


async def choose_grid(person: Person, now: datetime, *, grid_id: int = 0, code: str = "") -> Home:
    """Live in another grid from now on, by its id or the code in its QR. Raises NotFound."""
    _resident_only(person)
    return await join_grid(await person_of(person.resident_id), now, grid_id=grid_id, code=code)


_GRIDS = """
SELECT g.id, g.name, c.name AS community FROM area g JOIN area c ON c.id = g.parent_id
WHERE g.level = 'grid' AND ($1 = '' OR position($1 in c.name || g.name) > 0) AND g.id > $2
ORDER BY g.id LIMIT $3
"""


async def search_grids(words: str, after: int, limit: int) -> list[GridChoice]:
    """Grids whose name, with that of their community, has these words in it; `after` = the id before."""
    return [GridChoice(**row) for row in await fetch(_GRIDS, words, after, limit)]


def _resident_only(person: Person) -> None:
    if not person.resident_id:
        raise NotAllowed("no resident", say="这是居民用的。请用您自己的微信打开小程序。")
