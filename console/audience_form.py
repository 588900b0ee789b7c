"""Choosing people by a form: its fields, the rule they make, and the fields that an existing rule is shown in.

What no field can say stays as a rule in JSON, in the field for those who know how to write one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from console.frame import Form, Visit, staff
from domain.audience_rules import KnownFact
from domain.audiences import fact_kinds
from domain.badges import NAMES as BADGES
from domain.broadcast_desk import Places, places
from domain.people import Post, role_name
from errors import BadRequest
from models.enums import FactType, Role

_MOST = 40
Code = Annotated[str, Field(max_length=64)]
Codes = Annotated[tuple[Code, ...], Field(max_length=300)]
Age = Annotated[str, Field(pattern=r"^\d{0,3}$", title="年龄")]
Words = Annotated[str, Field(max_length=64)]
Rule = dict[str, Any]


def writers(visit: Visit) -> bool:
    """Who writes to residents: everybody who answers for an area; departments do not."""
    return staff(visit) and visit.post.role is not Role.DEPARTMENT_STAFF


class Audience(Form):
    """What the form asks of whom something concerns."""

    areas: Codes = ()
    more_areas: Annotated[str, Field(max_length=500, title="其他区域编码")] = ""
    buildings: Annotated[str, Field(max_length=200, title="楼栋")] = ""
    age_from: Age = ""
    age_to: Age = ""
    birthday: Annotated[str, Field(pattern="^(month|today|)$", title="生日")] = ""
    badge: Words = ""
    followers: Annotated[str, Field(pattern="^(yes|no|)$", title="是否关注")] = ""
    tags: Codes = ()
    without: Codes = ()
    choices: Codes = ()
    number_fact: Words = ""
    number_from: Annotated[str, Field(pattern=r"^(\d{1,9}(\.\d{1,2})?)?$", title="数字从")] = ""
    number_to: Annotated[str, Field(pattern=r"^(\d{1,9}(\.\d{1,2})?)?$", title="数字到")] = ""
    due_fact: Words = ""
    due_days: Annotated[str, Field(pattern=r"^\d{0,4}$", title="多少天以内")] = ""
    match: Annotated[str, Field(pattern="^(all|any)$", title="条件怎么算")] = "all"
    household: bool = False
    roles: Codes = ()
    rule: Annotated[str, Field(max_length=8000, title="规则")] = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers."""

    places: Places
    facts: Sequence[KnownFact]
    badges: Mapping[str, str]
    roles: Mapping[str, str]

    def of(self, *types: str) -> list[KnownFact]:
        """The facts of these types."""
        return [fact for fact in self.facts if fact.type in types]

    @property
    def dates(self) -> list[KnownFact]:
        """What a life event may be counted from, besides birthdays."""
        return self.of(FactType.DATE)


async def choices_of(post: Post, area_id: int = 0) -> Choices:
    """What this officer may choose from, this area among it; sensitive facts are not a grid worker's to choose by."""
    worker = post.role is Role.GRID_WORKER
    facts = [fact for fact in (await fact_kinds()).values() if not (worker and fact.sensitive)]
    roles = {str(role): role_name(role) for role in Role}
    return Choices(await places(post, also=area_id), facts, {str(kind): name for kind, name in BADGES.items()}, roles)


def rule_of(given: Audience, otherwise: Rule) -> Rule:
    """The rule these fields make; `otherwise` where nothing was chosen. Raises BadRequest for JSON that is none."""
    if given.rule:
        try:
            rule = json.loads(given.rule)
            json.dumps(rule, ensure_ascii=False).encode()  # half a character, written as an escape, is none
        except (ValueError, RecursionError):
            raise BadRequest("rule", say="直接写的规则看不懂，请检查括号和引号，或清空它改用上面的选项。") from None
        if not isinstance(rule, dict):
            raise BadRequest("rule", say="直接写的规则要放在花括号里。")
        return rule
    parts: list[Rule] = []
    if areas := [*given.areas, *_words(given.more_areas)]:
        parts.append({"area": areas})
    conditions = _conditions(given)
    if conditions and given.household:
        parts.append({"household": _joined(conditions, given.match)})
    elif conditions and given.match == "any" and len(conditions) > 1:
        parts.append({"any": conditions})
    else:
        parts += conditions
    if given.roles:
        parts.append({"role": list(given.roles)})
    return _joined(parts, "all") if parts else otherwise


def _joined(parts: list[Rule], how: str) -> Rule:
    return parts[0] if len(parts) == 1 else {how: parts}


def _conditions(given: Audience) -> list[Rule]:
    """What must be so of a person."""
    found: list[Rule] = []
    if buildings := [{"building": name} for name in _words(given.buildings)]:
        found.append(_joined(buildings, "any"))
    if given.age_from or given.age_to:
        found.append({"age": _range(given.age_from, given.age_to)})
    found += [{"birthday": given.birthday}] if given.birthday else []
    found += [{"fact": code, "is": True} for code in given.tags]
    found += [{"fact": code, "is": False} for code in given.without]
    for fact in dict.fromkeys(one.partition("=")[0] for one in given.choices):
        values = [value for code, _, value in (one.partition("=") for one in given.choices) if code == fact]
        found.append({"fact": fact, "is": values})
    if given.number_fact:
        found.append({"fact": given.number_fact, "is": _range(given.number_from, given.number_to)})
    if given.due_fact:
        found.append({"date": given.due_fact, "within_days": int(given.due_days or 30)})
    found += [{"badge": given.badge}] if given.badge else []
    found += [{"followers": given.followers == "yes"}] if given.followers else []
    return found


def _words(text: str) -> list[str]:
    """Words that stand between commas or blanks of any kind."""
    for mark in "，、,;；":
        text = text.replace(mark, " ")
    return text.split()[:_MOST]


def _range(least: str, most: str) -> dict[str, float]:
    ends = {"from": least, "to": most}
    return {end: float(text) if "." in text else int(text) for end, text in ends.items() if text}


def fields_of(rule: Rule) -> dict[str, Any]:
    """The fields that show this rule; where they cannot, the rule itself in the field for rules."""
    if not rule:
        return {}
    found: dict[str, Any] = {}
    try:
        for part in rule.get("all", [rule]):
            _read(part, found)
        if rule_of(Audience(**found), {}) == rule:
            return found
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # not of the shape that this form makes
    return {"rule": json.dumps(rule, ensure_ascii=False)}


def _read(part: Rule, found: dict[str, Any]) -> None:
    """One part of a rule into the fields."""
    match part:
        case {"area": codes}:
            found["areas"] = codes if isinstance(codes, list) else [codes]
        case {"role": roles}:
            found["roles"] = roles if isinstance(roles, list) else [roles]
        case {"household": inner}:
            found["household"] = True
            _several(inner, found)
        case {"any": _}:
            _several(part, found)
        case _:
            _condition(part, found)


def _several(rule: Rule, found: dict[str, Any]) -> None:
    how = next((name for name in ("all", "any") if name in rule), "")
    if not how or all("building" in each for each in rule[how]):
        _condition(rule, found)
        return
    found["match"] = how
    for each in rule[how]:
        _condition(each, found)


def _condition(part: Rule, found: dict[str, Any]) -> None:
    match part:
        case {"building": name}:
            found["buildings"] = name
        case {"any": buildings}:
            found["buildings"] = "、".join(each["building"] for each in buildings)
        case {"age": ends}:
            found |= {f"age_{end}": str(value) for end, value in ends.items()}
        case {"fact": code, "is": bool(wanted)}:
            found.setdefault("tags" if wanted else "without", []).append(code)
        case {"fact": code, "is": dict(ends)}:
            found |= {"number_fact": code} | {f"number_{end}": str(value) for end, value in ends.items()}
        case {"fact": code, "is": list(values)}:
            found.setdefault("choices", []).extend(f"{code}={value}" for value in values)
        case {"date": code, "within_days": days}:
            found |= {"due_fact": code, "due_days": str(days)}
        case {"followers": wanted}:
            found["followers"] = "yes" if wanted else "no"
        case {"birthday": value} | {"badge": value}:
            found["birthday" if "birthday" in part else "badge"] = value
        case _:
            raise KeyError(str(part)[:40])
