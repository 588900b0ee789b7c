"""What people agreed to: each purpose by itself, in the version of the text they read, until they take it back.

The texts are data (`consents.toml`). Before anything personal is agreed to, people are asked whether they are fourteen;
for a child nothing is kept unless a guardian agrees. Taking consent back deletes at once what was kept on its ground.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from domain.journal import audit
from domain.people import Person
from domain.rooms import resident_label
from errors import Conflict, ConsentNeeded, NotAllowed
from models.accounts import PurposeConsent
from models.database import fetch, transaction
from models.enums import Purpose


@dataclass(frozen=True, slots=True)
class ConsentText:
    """What is asked for one purpose; `without` = what works all the same for whoever declines."""

    version: int
    title: str
    text: str
    without: str


@dataclass(frozen=True, slots=True)
class Consent:
    """How one person stands to one purpose. `version` is that of what they agreed to, 0 = never, or taken back."""

    purpose: Purpose
    asked: ConsentText
    version: int
    given_at: datetime | None

    @property
    def holds(self) -> bool:
        """Whether they agreed to the text as it is now."""
        return self.version == self.asked.version


@cache
def texts() -> Mapping[Purpose, ConsentText]:
    """The texts as they are now."""
    data = tomllib.loads(files("domain").joinpath("consents.toml").read_text(encoding="utf-8"))
    return {purpose: ConsentText(**data[purpose]) for purpose in Purpose}


async def list_consents(person: Person) -> list[Consent]:
    """How this person stands to every purpose."""
    open_ones = {row.purpose: row for row in await _open(person.resident_id)}
    found = []
    for purpose, asked in texts().items():
        row = open_ones.get(purpose)
        found.append(Consent(purpose, asked, row.version if row else 0, row.given_at if row else None))
    return found


async def holds(resident_id: int, purpose: Purpose) -> bool:
    """Whether the resident agrees to this now; for a child, whether their guardian does too."""
    asked = [purpose, Purpose.GUARDIAN]
    rows = await fetch(_HOLDS, resident_id, [str(one) for one in asked], [texts()[one].version for one in asked])
    found = {row["purpose"] for row in rows if row["holds"]}
    is_child = bool(rows and rows[0]["minor"])
    return purpose in found and (not is_child or Purpose.GUARDIAN in found)


_HOLDS = """
SELECT r.minor, w.purpose, EXISTS (SELECT 1 FROM purpose_consent c WHERE c.resident_id = r.id AND c.ended_at IS NULL
    AND c.purpose = w.purpose AND c.version = w.version) AS holds
FROM resident r CROSS JOIN unnest($2::text[], $3::int[]) AS w(purpose, version) WHERE r.id = $1
"""


async def need(person: Person, purpose: Purpose) -> None:
    """Go on only if this person agreed; staff on duty need not, it is their work. Raises ConsentNeeded."""
    if person.post is None:
        await need_own(person, purpose)


async def need_own(person: Person, purpose: Purpose) -> None:
    """The same for what somebody tells of themselves, staff or not."""
    if not await holds(person.resident_id, purpose):
        asked = texts()[purpose]
        raise _needed(str(purpose), f"这一步要您先同意“{asked.title}”。不同意也行：{asked.without}")


def _needed(what: str, say: str) -> ConsentNeeded:
    """The refusal as clients read it: `fields` names the consent that is missing, or the question for the age."""
    return ConsentNeeded(what, say=say, purpose=what, fields=[{"field": f"consent.{what}", "say": say}])


async def give(person: Person, purpose: Purpose, version: int, now: datetime, source: str = "") -> None:
    """Agree to a purpose in the version that was read. Raises Conflict for an older text, ConsentNeeded before the
    question for the age and, for a child, before the guardian's consent."""
    async with transaction():
        minor = await _lock(person)
        if version != texts()[purpose].version:
            raise Conflict(f"{purpose} is version {texts()[purpose].version}", say="说明改过了，请重新看一遍再选。")
        if minor is None:
            raise _needed("age", "请先回答您是否已满十四岁。")
        if purpose is Purpose.GUARDIAN and not minor:
            raise Conflict("no child", say="您登记的是已满十四岁，不需要监护人同意。")
        if minor and purpose is not Purpose.GUARDIAN and not await _guarded(person.resident_id):
            raise _needed(Purpose.GUARDIAN, "未满十四岁，请先让爸爸妈妈或其他监护人看说明并同意。")
        rows = [row for row in await _open(person.resident_id) if row.purpose is purpose]
        if any(row.version == version for row in rows):
            return
        await _end(person.resident_id, purpose, now)
        await PurposeConsent.create(
            resident_id=person.resident_id, purpose=purpose, version=version, given_at=now, source=source
        )
        await audit(person.actor, f"consent:{purpose}", person.resident_id, now, source=source)


async def withdraw(person: Person, purpose: Purpose, now: datetime, source: str = "") -> None:
    """Take a consent back: what was kept on its ground is deleted at once. Once more changes nothing."""
    async with transaction():
        await _lock(person)
        if not await _end(person.resident_id, purpose, now):
            return
        await audit(person.actor, f"withdraw:{purpose}", person.resident_id, now, source=source)
        await _forget(person.resident_id, purpose, now)


async def say_age(person: Person, over_fourteen: bool, now: datetime, source: str = "") -> None:
    """Note whether somebody is fourteen or older. A child's data without a guardian's consent are discarded; that
    somebody is a child after all is believed, the other way round staff must look. Raises Conflict."""
    async with transaction():
        minor = await _lock(person)
        if minor is (not over_fourteen):
            return
        if minor:
            raise Conflict("was a child", say="您登记过未满十四岁。要更改，请当面找网格员核对。")
        await fetch("UPDATE resident SET minor = $2 WHERE id = $1", person.resident_id, not over_fourteen)
        await audit(person.actor, "resident:say_age", person.resident_id, now, source=source)
        if not over_fourteen:
            await _forget(person.resident_id, Purpose.GUARDIAN, now)


_CASES = "SELECT FROM cases WHERE reporter_id = $1 AND latitude IS NOT NULL ORDER BY id FOR NO KEY UPDATE"


async def _lock(person: Person) -> bool | None:
    """Whether this resident is a child; None = they were not asked. Their row stays locked, and before it their cases,
    which may lose their positions."""
    await fetch(_CASES, person.resident_id)
    rows = await fetch("SELECT minor FROM resident WHERE id = $1 FOR NO KEY UPDATE", person.resident_id)
    if not rows:
        raise NotAllowed("no resident", say="这是居民用的。请用您自己的微信打开小程序。")
    minor: bool | None = rows[0]["minor"]
    return minor


async def _open(resident_id: int) -> list[PurposeConsent]:
    return await PurposeConsent.filter(resident_id=resident_id, ended_at=None).order_by("id")


async def _guarded(resident_id: int) -> bool:
    current = texts()[Purpose.GUARDIAN].version
    rows = await _open(resident_id)
    return any(row.purpose is Purpose.GUARDIAN and row.version == current for row in rows)


async def _end(resident_id: int, purpose: Purpose, now: datetime) -> bool:
    """Whether there was one to end."""
    ended = await fetch(
        "UPDATE purpose_consent SET ended_at = $3 WHERE resident_id = $1 AND purpose = $2 AND ended_at IS NULL "
        "RETURNING id",
        resident_id,
        str(purpose),
        now,
    )
    return bool(ended)


async def _forget(resident_id: int, purpose: Purpose, now: datetime) -> None:
    """Delete what stood on a consent that has ended; with a guardian's, everything."""
    ended = [one for one in Purpose if one is not Purpose.GUARDIAN] if purpose is Purpose.GUARDIAN else [purpose]
    for one in ended:
        await _end(resident_id, one, now)
    # Answers kept for repeated requests may have it too; that of the request under way is not there yet.
    await fetch("DELETE FROM idempotent_request WHERE actor = $1 AND status IS NOT NULL", f"resident:{resident_id}")
    if Purpose.PROFILE in ended:
        await fetch("UPDATE resident SET nickname = '', name = '' WHERE id = $1", resident_id)
        await _unname(f"resident:{resident_id}")
        await fetch(_NO_MEMBER, resident_id)
    if Purpose.PHONE in ended:
        await fetch("UPDATE resident SET phone = '' WHERE id = $1", resident_id)
    if Purpose.NOTICES in ended:
        await fetch(_NO_FACTS, resident_id)
    if Purpose.LOCATION in ended:
        await fetch(_NO_PLACES, resident_id)
        await fetch(_NO_POSITIONS, f"resident:{resident_id}")


async def _unname(who: str) -> None:
    """In rooms they are called as somebody without a nickname, for what they said before too."""
    for row in await fetch("SELECT DISTINCT room_id FROM room_message WHERE sender = $1", who):
        label = resident_label("", row["room_id"], who)
        await fetch(
            "UPDATE room_message SET author = $3 WHERE room_id = $1 AND sender = $2", row["room_id"], who, label
        )


_AUTHOR = "UPDATE room_message SET author = $3 WHERE room_id = $1 AND sender = $2"
# What they told of themselves as members of a household; what staff keep of it is not theirs to take back here.
_NO_MEMBER = "DELETE FROM household_member WHERE resident_id = $1 AND source = 'resident:' || $1::bigint"
_NO_FACTS = """
UPDATE household_member SET facts = '{}'::jsonb, birthday = NULL
WHERE resident_id = $1 AND source = 'resident:' || $1::bigint
"""
_NO_PLACES = "UPDATE cases SET latitude = NULL, longitude = NULL WHERE reporter_id = $1 AND latitude IS NOT NULL"
_NO_POSITIONS = "UPDATE room_message SET data = '{}'::jsonb WHERE sender = $1 AND kind = 'location' AND data <> '{}'"
