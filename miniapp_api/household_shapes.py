"""Households, members and what is known of them as JSON; topics and previews of audiences too."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from domain.facts import Fact, Member
from miniapp_api.kernel import Body, Id, Page
from models.enums import FactType

_CONTROL_FREE = r"^[^\x00-\x1f\x7f]*$"
Short = Annotated[str, Field(min_length=1, max_length=32, pattern=_CONTROL_FREE)]
Relationship = Annotated[str, Field(max_length=16, pattern=_CONTROL_FREE)]
Value = Annotated[
    bool | Annotated[int, Field(ge=0, le=10**9)] | Annotated[str, Field(max_length=100, pattern=_CONTROL_FREE)] | None,
    Field(description="by the kind's type: true, 2, 丧偶, 2027-01-15; null takes it away"),
]
FactCode = Annotated[str, Field(min_length=1, max_length=24, pattern=_CONTROL_FREE)]
TopicCode = Annotated[str, Field(min_length=1, max_length=24, pattern=_CONTROL_FREE)]


class HouseholdPath(Body):
    """Which household."""

    household_id: Id


class MemberPath(Body):
    """Which member of a household."""

    member_id: Id


class MemberFactPath(MemberPath):
    """Which fact of a member."""

    code: FactCode


class HouseholdList(Page):
    """Those of a place (`3栋2单元501`, `3栋501`) or with a member of this name; all for ""."""

    q: Annotated[str, Field(max_length=64, pattern=_CONTROL_FREE)] = ""


class HouseholdLine(Body):
    """A household in a list. `waiting`: people who say to belong to it and wait to be confirmed."""

    id: Id
    grid_id: Id
    grid: str
    place: str
    members: int
    waiting: int


class Households(Body):
    """A page of households."""

    items: list[HouseholdLine]
    next: str


class FactKindInfo(Body):
    """What may be known of a person. `choices` of a choice; sensitive ones are not in lists and their use is noted."""

    code: str
    name: str
    type: FactType
    choices: list[str]
    sensitive: bool


class FactKinds(Body):
    """All kinds in use."""

    items: list[FactKindInfo]


class KnownFact(Body):
    """One thing known of somebody; `said` is the value as people read it."""

    code: str
    name: str
    value: bool | int | str | None
    said: str


class MemberLine(Body):
    """Somebody of a household. `linked`: reads their own notices in WeChat; `claimed`: a follower says to be them."""

    id: Id
    household_id: Id
    place: str
    name: str
    relation: str
    birthday: date | None
    linked: bool
    claimed: bool


class MemberCard(MemberLine):
    """With what is known."""

    facts: list[KnownFact]
    changed_at: datetime


class Members(Body):
    """Members of one household, or those who wait to be confirmed."""

    items: list[MemberLine]


class NewHousehold(Body):
    """A household that is not written down yet, as people say it: 3栋2单元501."""

    grid_id: Annotated[int, Field(ge=1, le=2**31 - 1)]
    place: Short


class Made(Body):
    """What was made, or was there already."""

    id: Id


class NewMember(Body):
    """Somebody of a household."""

    name: Short
    relation: Relationship = ""
    birthday: date | None = None


class MemberChange(Body):
    """What changes; null leaves it."""

    name: Short | None = None
    relation: Relationship | None = None
    birthday: date | None = None


class FactValue(Body):
    """What is known of somebody from now on."""

    value: Value


class Claim(Body):
    """Where the caller lives, and their name as the household's keeper knows it."""

    place: Short
    name: Annotated[str, Field(min_length=2, max_length=32, pattern=_CONTROL_FREE)]


class Corrections(Body):
    """What is put right, by the codes of facts and `birthday`."""

    changes: Annotated[dict[FactCode, Value], Field(min_length=1, max_length=20)]


class MyRecord(Body):
    """What the community knows of the caller; null = nothing is kept under their WeChat."""

    record: MemberCard | None


class TopicInfo(Body):
    """A kind of notices; `wanted` is false where the caller refused it."""

    topic: str
    name: str
    wanted: bool


class Topics(Body):
    """All kinds of notices."""

    items: list[TopicInfo]


class Wanted(Body):
    """Whether the caller wants to be told of a topic; `*` is all."""

    topic: TopicCode
    wanted: bool


class WhyQuery(Body):
    """Of which delivery; null = the newest."""

    delivery_id: Id | None = None


class Why(Body):
    """Which part of its rule led a notice to the caller."""

    text: str


class RuleToTry(Body):
    """An audience rule, a life event if it is one, and the topic that people may have refused."""

    audience: Annotated[dict[str, Any], Field(max_length=4)]
    event: Annotated[dict[str, Any], Field(max_length=8)] | None = None
    topic: Annotated[str, Field(max_length=24, pattern=_CONTROL_FREE)] = ""


class Sampled(Body):
    """One of the sample: the name masked, the building, and by which way they are reached."""

    name: str
    place: str
    via: str


class PreviewCounts(Body):
    """Whom a rule would reach. `people` is null for a group too small to be told to this reader; `ways` by wechat,
    family, hand; `skipped` by the reason."""

    words: str
    people: int | None
    households: int
    ways: dict[str, int]
    skipped: dict[str, int]
    sample: list[Sampled]


def line_of(one: Member) -> MemberLine:
    """Somebody in a list."""
    return MemberLine(**_of(one))


def card_of(one: Member) -> MemberCard:
    """Somebody with what is known."""
    return MemberCard(**_of(one), facts=[_fact(fact) for fact in one.facts], changed_at=one.changed_at)


def _of(one: Member) -> dict[str, Any]:
    names = ("id", "household_id", "place", "name", "relation", "birthday", "claimed")
    linked = one.resident_id is not None and not one.claimed
    return {name: getattr(one, name) for name in names} | {"linked": linked}


def _fact(fact: Fact) -> KnownFact:
    return KnownFact(code=fact.kind.code, name=fact.kind.name, value=fact.value, said=fact.said)
