"""人群规则: whom something concerns, as data: checked, said in Chinese, and asked of one person after the other.

A rule answers yes, no, or None = not known. Nobody is told anything by what is not known of them: `not` of None is
None. A tag (a fact of type yes) that the staff who keep somebody's facts did not set is a no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from domain.anniversaries import age_on, years_after
from models.enums import FactType

Answer = bool | None


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A kind of fact as rules use it."""

    code: str
    name: str
    type: FactType
    choices: tuple[str, ...] = ()
    sensitive: bool = False


@dataclass(slots=True)
class Someone:
    """What is known of one person. `facts` is None where nobody keeps any: a follower without a household."""

    area_id: int
    role: str = ""  # of staff; residents have none
    follows: bool = False
    building: str | None = None
    birthday: date | None = None
    facts: Mapping[str, Any] | None = None
    badges: Sequence[str] = ()
    together: Sequence[Someone] = field(default_factory=tuple)  # everybody of the household, themselves too

    @property
    def is_staff(self) -> bool:
        return bool(self.role)


class Rule(Protocol):
    """One rule, or several joined."""

    def holds(self, one: Someone, today: date) -> Answer:
        """Whether it holds for this person."""

    def said(self) -> str:
        """In Chinese, as it stands before 的人."""

    def parts(self) -> Iterable[Rule]:
        """Itself and all it is made of."""


class _Leaf:
    __slots__ = ()

    def parts(self) -> Iterable[Rule]:
        yield self  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class All:
    """Every one of these. One no is enough for a no, whatever is not known."""

    rules: tuple[Rule, ...]

    def holds(self, one: Someone, today: date) -> Answer:
        found: Answer = True
        for rule in self.rules:
            answer = rule.holds(one, today)
            if answer is False:
                return False
            found = found and answer
        return found

    def said(self) -> str:
        return "、".join(f"（{rule.said()}）" if isinstance(rule, Either) else rule.said() for rule in self.rules)

    def parts(self) -> Iterable[Rule]:
        yield self
        for rule in self.rules:
            yield from rule.parts()


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these."""

    rules: tuple[Rule, ...]

    def holds(self, one: Someone, today: date) -> Answer:
        found: Answer = False
        for rule in self.rules:
            answer = rule.holds(one, today)
            if answer is True:
                return True
            found = None if answer is None else found
        return found

    def said(self) -> str:
        return "或".join(f"（{rule.said()}）" if isinstance(rule, All) else rule.said() for rule in self.rules)

    def parts(self) -> Iterable[Rule]:
        yield self
        for rule in self.rules:
            yield from rule.parts()


@dataclass(frozen=True, slots=True)
class Not:
    """Known not to be so."""

    rule: Rule

    def holds(self, one: Someone, today: date) -> Answer:
        answer = self.rule.holds(one, today)
        return None if answer is None else not answer

    def said(self) -> str:
        said = self.rule.said()
        return f"不是（{said}）" if isinstance(self.rule, All | Either) else f"不是{said}"

    def parts(self) -> Iterable[Rule]:
        yield self
        yield from self.rule.parts()


@dataclass(frozen=True, slots=True)
class InArea(_Leaf):
    """Lives, or serves, in one of these areas or below."""

    names: tuple[str, ...]
    ids: frozenset[int]

    def holds(self, one: Someone, _: date) -> Answer:
        return one.area_id in self.ids

    def said(self) -> str:
        return f"住在{'或'.join(self.names)}"


@dataclass(frozen=True, slots=True)
class InBuilding(_Leaf):
    """Belongs to a household of this building."""

    name: str

    def holds(self, one: Someone, _: date) -> Answer:
        return None if one.building is None else one.building == self.name

    def said(self) -> str:
        return f"住{self.name}"


@dataclass(frozen=True, slots=True)
class HasRole(_Leaf):
    """Staff with one of these posts."""

    roles: tuple[str, ...]
    names: tuple[str, ...]

    def holds(self, one: Someone, _: date) -> Answer:
        return one.role in self.roles

    def said(self) -> str:
        return f"是{'或'.join(self.names)}"


@dataclass(frozen=True, slots=True)
class Wears(_Leaf):
    """A resident who agreed to be shown with this badge."""

    kind: str
    name: str

    def holds(self, one: Someone, _: date) -> Answer:
        return None if one.is_staff else self.kind in one.badges

    def said(self) -> str:
        return f"亮明{self.name}身份"


@dataclass(frozen=True, slots=True)
class Follows(_Leaf):
    """Reads the account in WeChat themselves, or does not."""

    wanted: bool

    def holds(self, one: Someone, _: date) -> Answer:
        return None if one.is_staff else one.follows is self.wanted

    def said(self) -> str:
        return "关注了公众号" if self.wanted else "没有关注公众号"


@dataclass(frozen=True, slots=True)
class Range:
    """From and to, both included; None = open."""

    least: Any = None
    most: Any = None

    def __contains__(self, value: Any) -> bool:
        return (self.least is None or self.least <= value) and (self.most is None or value <= self.most)

    def said(self, unit: str) -> str:
        if self.least is None:
            return f"{self.most}{unit}以下"
        if self.most is None:
            return f"{self.least}{unit}以上"
        if self.least == self.most:
            return f"{self.least}{unit}"
        return f"{self.least} 到 {self.most}{unit}"


@dataclass(frozen=True, slots=True)
class Aged(_Leaf):
    """Full years of age."""

    years: Range

    def holds(self, one: Someone, today: date) -> Answer:
        return None if one.birthday is None else age_on(one.birthday, today) in self.years

    def said(self) -> str:
        return self.years.said(" 岁")


@dataclass(frozen=True, slots=True)
class Birthday(_Leaf):
    """Has their birthday this month, or today."""

    today_only: bool

    def holds(self, one: Someone, today: date) -> Answer:
        if one.birthday is None:
            return None
        if self.today_only:
            return years_after(one.birthday, today.year - one.birthday.year) == today
        return one.birthday.month == today.month

    def said(self) -> str:
        return "今天过生日" if self.today_only else "这个月过生日"


@dataclass(frozen=True, slots=True)
class HasFact(_Leaf):
    """What is known of a person has one of these values, or lies in the range."""

    fact: KnownFact
    wanted: bool | tuple[Any, ...] | Range

    def holds(self, one: Someone, _: date) -> Answer:
        if one.facts is None:
            return None
        value = one.facts.get(self.fact.code)
        if self.fact.type is FactType.YES:
            return (value is True) is self.wanted
        value = as_date(value) if self.fact.type is FactType.DATE else value
        return None if value is None else value in self.wanted  # type: ignore[operator]

    def said(self) -> str:
        if isinstance(self.wanted, bool):
            return self.fact.name if self.wanted else f"不是{self.fact.name}"
        if isinstance(self.wanted, Range):
            return f"{self.fact.name}{self.wanted.said('')}"
        return f"{self.fact.name}是{'或'.join(map(str, self.wanted))}"


@dataclass(frozen=True, slots=True)
class ComesDue(_Leaf):
    """A date of theirs lies between today and so many days from now."""

    fact: KnownFact
    days: int

    def holds(self, one: Someone, today: date) -> Answer:
        found = as_date((one.facts or {}).get(self.fact.code))
        return None if found is None else today <= found <= today + timedelta(days=self.days)

    def said(self) -> str:
        return f"{self.fact.name}在 {self.days} 天以内"


@dataclass(frozen=True, slots=True)
class SharesHome:
    """Somebody of the household (they themselves too) fulfils the rule."""

    rule: Rule

    def holds(self, one: Someone, today: date) -> Answer:
        answers = [self.rule.holds(each, today) for each in one.together]
        return True if True in answers else None if not answers or None in answers else False

    def said(self) -> str:
        said = self.rule.said()
        return f"家里有人{' ' if said[0].isdigit() else ''}{said}"

    def parts(self) -> Iterable[Rule]:
        yield self
        yield from self.rule.parts()


#: Rules about what is kept of a person: whoever is found by one of these is told how to have no more of it.
PERSONAL = (InBuilding, Aged, Birthday, HasFact, ComesDue, SharesHome)


def as_date(value: Any) -> date | None:
    """A date fact as it is kept, 2026-11-21; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def facts_of(rule: Rule) -> dict[str, KnownFact]:
    """The kinds of facts that a rule looks at, by code."""
    return {part.fact.code: part.fact for part in rule.parts() if isinstance(part, HasFact | ComesDue)}


def has(rule: Rule, *kinds: Callable[..., Any]) -> bool:
    """Whether one of these kinds of rule is part of it."""
    return any(isinstance(part, kinds) for part in rule.parts())  # type: ignore[arg-type]


def within(rule: Rule) -> frozenset[int] | None:
    """The areas outside of which nobody can fulfil it; None where it does not say."""
    if isinstance(rule, InArea):
        return rule.ids
    if isinstance(rule, All):
        bounds = [bound for each in rule.rules if (bound := within(each)) is not None]
        return frozenset.intersection(*bounds) if bounds else None
    return None


def why(rule: Rule, one: Someone, today: date) -> list[str]:
    """The parts that led to this person, in Chinese; of what is joined by or, those that hold."""
    if isinstance(rule, All | Either):
        return [said for each in rule.rules if each.holds(one, today) for said in why(each, one, today)]
    return [rule.said()]
