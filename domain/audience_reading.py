"""Reading an audience rule from JSON: each part that is wrong is named, with how to write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.audience_rules import (
    Aged,
    All,
    Birthday,
    ComesDue,
    Either,
    Follows,
    HasFact,
    HasRole,
    InArea,
    InBuilding,
    KnownFact,
    Not,
    Range,
    Rule,
    SharesHome,
    Wears,
    as_date,
    has,
)
from domain.badges import NAMES as BADGE_NAMES
from domain.people import role_name
from errors import BadRequest
from models.enums import BadgeKind, FactType, Role

#: Bounds that no audience of people's needs reaches, so that no rule keeps the server busy.
_DEEPEST, _MOST_PARTS, _MOST_VALUES = 6, 60, 200
_OLDEST, _MOST_DAYS, _MOST = 130, 3650, 10**9


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What rules may name: kinds of facts by code, and areas by code with their name and all that lies below."""

    facts: Mapping[str, KnownFact]
    areas: Mapping[str, tuple[str, frozenset[int]]]


def read_rule(data: Any, known: Vocabulary) -> Rule:
    """The rule that this JSON is. Raises BadRequest, whose sentence names the part that is wrong."""
    return _Reader(known).read(data, "人群", 1)


class _Reader:
    def __init__(self, known: Vocabulary) -> None:
        self._known = known
        self._parts = 0
        self._kinds: dict[str, Callable[[Any, str, int, Mapping[str, Any]], Rule]] = {
            "all": self._all,
            "any": self._any,
            "not": self._not,
            "area": self._area,
            "building": self._building,
            "role": self._role,
            "badge": self._badge,
            "age": self._age,
            "fact": self._fact,
            "date": self._date,
            "birthday": self._birthday,
            "household": self._household,
            "followers": self._followers,
        }

    def read(self, data: Any, where: str, depth: int) -> Rule:
        self._parts += 1
        if depth > _DEEPEST or self._parts > _MOST_PARTS:
            raise _wrong(where, f"条件太多或套得太深，最多 {_MOST_PARTS} 条、{_DEEPEST} 层")
        if not isinstance(data, Mapping) or not data:
            raise _wrong(where, '要写成一条规则，比如 {"age": {"from": 80}}')
        kinds = [name for name in data if name in self._kinds]
        if len(kinds) != 1:
            raise _wrong(where, f"每条要写一种条件，可以用：{'、'.join(self._kinds)}")
        extra = {"fact": {"is"}, "date": {"within_days"}}.get(kinds[0], set())
        if unknown := [str(name) for name in data if name != kinds[0] and name not in extra]:
            raise _wrong(where, f"不认识“{unknown[0][:24]}”")
        return self._kinds[kinds[0]](data[kinds[0]], where, depth, data)

    def _many(self, data: Any, where: str, depth: int, name: str) -> tuple[Rule, ...]:
        if not isinstance(data, list) or not data:
            raise _wrong(where, f"“{name}”后面要有一条以上的规则，放在方括号里")
        return tuple(self.read(each, f"{where}第 {place} 条", depth + 1) for place, each in enumerate(data, 1))

    def _all(self, data: Any, where: str, depth: int, _: Mapping[str, Any]) -> Rule:
        return All(self._many(data, where, depth, "all"))

    def _any(self, data: Any, where: str, depth: int, _: Mapping[str, Any]) -> Rule:
        return Either(self._many(data, where, depth, "any"))

    def _not(self, data: Any, where: str, depth: int, _: Mapping[str, Any]) -> Rule:
        rule = self.read(data, where, depth + 1)
        if has(rule, HasRole):
            raise _wrong(where, "岗位不能放在“not”里；要发给谁，就写上谁的岗位")
        return Not(rule)

    def _area(self, data: Any, where: str, _depth: int, _: Mapping[str, Any]) -> Rule:
        codes = _texts(data, where, "区域编码")
        if unknown := [code for code in codes if code not in self._known.areas]:
            raise _wrong(where, f"区域“{unknown[0][:24]}”不在您的范围里，请核对编码")
        found = [self._known.areas[code] for code in codes]
        return InArea(tuple(name for name, _ in found), frozenset().union(*(ids for _, ids in found)))

    def _building(self, data: Any, where: str, _depth: int, _: Mapping[str, Any]) -> Rule:
        if not isinstance(data, str) or not 0 < len(data.strip()) <= 32:
            raise _wrong(where, "楼栋请写成“3栋”")
        return InBuilding(data.strip())

    def _role(self, data: Any, where: str, _depth: int, _: Mapping[str, Any]) -> Rule:
        roles = _texts(data, where, "岗位")
        if unknown := [role for role in roles if role not in list(Role)]:
            raise _wrong(where, f"没有“{unknown[0][:24]}”这个岗位，可以用：{'、'.join(Role)}")
        return HasRole(tuple(roles), tuple(role_name(Role(role)) for role in roles))

    def _badge(self, data: Any, where: str, _depth: int, _: Mapping[str, Any]) -> Rule:
        if data not in list(BadgeKind):
            raise _wrong(where, f"没有这种身份，可以用：{'、'.join(BadgeKind)}")
        return Wears(data, BADGE_NAMES[BadgeKind(data)])

    def _age(self, data: Any, where: str, _depth: int, _: Mapping[str, Any]) -> Rule:
        return Aged(_range(data, where, "年龄", _is_age))

    def _fact(self, data: Any, where: str, _depth: int, whole: Mapping[str, Any]) -> Rule:
        fact = self._named(data, where)
        if "is" not in whole:
            raise _wrong(where, f"“{fact.name}”后面要写 is：是什么")
        wanted = whole["is"]
        if fact.type is FactType.YES:
            if not isinstance(wanted, bool):
                raise _wrong(where, f"“{fact.name}”只有是或不是，请写 true 或 false")
            return HasFact(fact, wanted)
        if isinstance(wanted, Mapping):
            if fact.type not in (FactType.NUMBER, FactType.DATE):
                raise _wrong(where, f"“{fact.name}”不能写范围")
            check = _is_number if fact.type is FactType.NUMBER else as_date
            return HasFact(fact, _range(wanted, where, fact.name, check, fact.type is FactType.DATE))
        return HasFact(fact, _values(wanted, where, fact))

    def _date(self, data: Any, where: str, _depth: int, whole: Mapping[str, Any]) -> Rule:
        fact, days = self._named(data, where), whole.get("within_days")
        if fact.type is not FactType.DATE:
            raise _wrong(where, f"“{fact.name}”不是日期")
        if not _is_number(days) or not isinstance(days, int) or not 0 <= days <= _MOST_DAYS:
            raise _wrong(where, f"within_days 请写 0 到 {_MOST_DAYS} 的天数")
        return ComesDue(fact, days)

    def _birthday(self, data: Any, where: str, _depth: int, _: Mapping[str, Any]) -> Rule:
        if data not in ("month", "today"):
            raise _wrong(where, "生日请写 month（这个月）或 today（今天）")
        return Birthday(data == "today")

    def _household(self, data: Any, where: str, depth: int, _: Mapping[str, Any]) -> Rule:
        rule = self.read(data, f"{where}“家里有人”", depth + 1)
        if has(rule, HasRole, SharesHome):
            raise _wrong(where, "“household”里不能再写岗位或 household")
        return SharesHome(rule)

    def _followers(self, data: Any, where: str, _depth: int, _: Mapping[str, Any]) -> Rule:
        if not isinstance(data, bool):
            raise _wrong(where, "followers 请写 true 或 false")
        return Follows(data)

    def _named(self, code: Any, where: str) -> KnownFact:
        found = self._known.facts.get(code) if isinstance(code, str) else None
        if found is None:
            some = "、".join(f"{each.code}（{each.name}）" for each in list(self._known.facts.values())[:8])
            raise _wrong(where, f"没有“{str(code)[:24]}”这一项档案；可以用：{some or '还没有，请先导入档案项'}")
        return found


def _values(wanted: Any, where: str, fact: KnownFact) -> tuple[Any, ...]:
    """One value or several, each of the fact's type."""
    values = wanted if isinstance(wanted, list) else [wanted]
    if not 0 < len(values) <= _MOST_VALUES:
        raise _wrong(where, f"“{fact.name}”要写 1 到 {_MOST_VALUES} 个值")
    for value in values:
        if fact.type is FactType.CHOICE and value not in fact.choices:
            raise _wrong(where, f"“{fact.name}”可以是：{'、'.join(fact.choices)}")
        if fact.type is FactType.NUMBER and not _is_number(value):
            raise _wrong(where, f"“{fact.name}”请写数字")
        if fact.type is FactType.DATE and as_date(value) is None:
            raise _wrong(where, f"“{fact.name}”请写成 2026-12-01")
        if fact.type is FactType.TEXT and not isinstance(value, str):
            raise _wrong(where, f"“{fact.name}”请写文字")
    return tuple(as_date(value) if fact.type is FactType.DATE else value for value in values)


def _range(data: Any, where: str, name: str, good: Callable[[Any], Any], dates: bool = False) -> Range:
    """From, to or both."""
    form = '{"from": 80, "to": 89}' if not dates else '{"from": "2026-01-01"}'
    if not isinstance(data, Mapping) or not data or set(data) - {"from", "to"}:
        raise _wrong(where, f"{name}请写成 {form}，from 和 to 可以只写一个")
    if any(isinstance(value, bool) or not good(value) for value in data.values()):
        raise _wrong(where, f"{name}看不懂，请写成 {form}")
    least, most = (as_date(data.get(end)) if dates else data.get(end) for end in ("from", "to"))
    if least is not None and most is not None and least > most:
        raise _wrong(where, f"{name}从 {least} 到 {most} 写反了")
    return Range(least, most)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST


def _is_age(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= _OLDEST


def _texts(data: Any, where: str, name: str) -> list[str]:
    values = data if isinstance(data, list) else [data]
    if not 0 < len(values) <= _MOST_VALUES or not all(isinstance(value, str) for value in values):
        raise _wrong(where, f"请写{name}，几个就放在方括号里")
    return values


def _wrong(where: str, what: str) -> BadRequest:
    return BadRequest("audience rule", say=f"{where}：{what}。")
