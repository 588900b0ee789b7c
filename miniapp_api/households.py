"""住户档案 over the API: households and what is known of people, for those who keep it and for whom it is about."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from domain import audience_previews, facts, household_claims, households, opt_outs
from domain.audiences import fact_kinds
from domain.consents import need_own
from domain.facts import Fact, Member
from domain.homes import read_home
from errors import BadRequest
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from models.enums import FactType, Purpose

routes = Routes("households")

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


@routes.get("/fact-kinds", rule="fact_kind:list")
async def list_kinds(call: Call) -> FactKinds:  # noqa: ARG001 - the same for everybody
    """What may be known of people."""
    found = await fact_kinds()
    return FactKinds(
        items=[
            FactKindInfo(
                code=kind.code, name=kind.name, type=kind.type, choices=list(kind.choices), sensitive=kind.sensitive
            )
            for kind in found.values()
        ]
    )


@routes.get("/households", rule="household:list")
async def list_households(call: Call, query: HouseholdList) -> Households:
    """Households the caller keeps."""
    name = f"households {query.q}"
    place = unseal(call, name, query.cursor)
    after = place[0] if place else 0
    found = await households.find_households(call.person, query.q, after=after, limit=query.limit)
    following = seal(call, name, [found[-1].id]) if len(found) == query.limit else ""
    items = [HouseholdLine(**{name: getattr(one, name) for name in HouseholdLine.model_fields}) for one in found]
    return Households(items=items, next=following)


@routes.post("/households", rule="household:add", status=201)
async def add_household(call: Call, body: NewHousehold) -> Made:
    """Write a household of one's own area down."""
    return Made(id=await households.add_household(call.person, body.grid_id, body.place, call.now, call.source))


@routes.get("/households/{household_id}/members", rule="household:keep")
async def list_members(call: Call, path: HouseholdPath) -> Members:
    """Who belongs to a household."""
    found = await households.list_members(call.person, path.household_id)
    return Members(items=[_line(one) for one in found])


@routes.post("/households/{household_id}/members", rule="household:keep", status=201)
async def add_member(call: Call, path: HouseholdPath, body: NewMember) -> MemberCard:
    """Write down who belongs to a household."""
    added = await households.add_member(
        call.person,
        path.household_id,
        body.name,
        call.now,
        call.source,
        relation=body.relation,
        birthday=body.birthday,
    )
    return _card(added)


@routes.get("/members/{member_id}", rule="member:keep")
async def show_member(call: Call, path: MemberPath) -> MemberCard:
    """What is known of somebody. Reading sensitive facts is noted."""
    return _card(await facts.show_member(call.person, path.member_id, call.now, call.source))


@routes.patch("/members/{member_id}", rule="member:keep")
async def change_member(call: Call, path: MemberPath, body: MemberChange) -> MemberCard:
    """Put right who somebody is."""
    changed = await households.change_member(
        call.person,
        path.member_id,
        call.now,
        call.source,
        name=body.name,
        relation=body.relation,
        birthday=body.birthday,
    )
    return _card(changed)


@routes.delete("/members/{member_id}", rule="member:keep")
async def remove_member(call: Call, path: MemberPath) -> None:
    """Somebody moved out or died."""
    await households.remove_member(call.person, path.member_id, call.now, call.source)


@routes.put("/members/{member_id}/facts/{code}", rule="member:keep")
async def set_fact(call: Call, path: MemberFactPath, body: FactValue) -> MemberCard:
    """Note what is known of somebody."""
    return _card(await facts.set_fact(call.person, path.member_id, path.code, body.value, call.now, call.source))


@routes.get("/claims", rule="claim:list")
async def list_claims(call: Call) -> Members:
    """Followers who say to belong to a household the caller keeps."""
    return Members(items=[_line(one) for one in await household_claims.waiting_claims(call.person)])


@routes.post("/members/{member_id}/confirm", rule="claim:decide")
async def confirm(call: Call, path: MemberPath) -> MemberCard:
    """They are who they say."""
    return _card(await household_claims.confirm(call.person, path.member_id, call.now, call.source))


@routes.post("/members/{member_id}/refuse", rule="claim:decide")
async def refuse(call: Call, path: MemberPath) -> None:
    """They are not."""
    await household_claims.refuse(call.person, path.member_id, call.now, call.source)


@routes.get("/me/record", rule="record:read")
async def my_record(call: Call) -> MyRecord:
    """What the community knows of the caller."""
    return await _mine(call)


async def _mine(call: Call) -> MyRecord:
    found = await facts.my_record(call.person)
    return MyRecord(record=_card(found) if found else None)


@routes.patch("/me/record", rule="record:change")
async def correct(call: Call, body: Corrections) -> MyRecord:
    """Put right what is known of the caller."""
    return MyRecord(record=_card(await facts.correct(call.person, body.changes, call.now, call.source)))


@routes.put("/me/household", rule="record:change")
async def claim(call: Call, body: Claim) -> MyRecord:
    """Say to which household the caller belongs; whoever keeps it confirms."""
    home = read_home(body.place)
    if home is None:
        raise BadRequest("place", say="没看懂是哪一户，请写成“3栋2单元501”。")
    await need_own(call.person, Purpose.PROFILE)
    await household_claims.claim(call.person, home, body.name, call.now, call.source)
    return await _mine(call)


@routes.delete("/me/household", rule="record:change")
async def leave(call: Call) -> None:
    """Belong to no household any more."""
    await household_claims.leave(call.person, call.now, call.source)


@routes.get("/me/topics", rule="topic:list")
async def list_topics(call: Call) -> Topics:
    """Which kinds of notices the caller gets."""
    return await _topics(call)


async def _topics(call: Call) -> Topics:
    found = await opt_outs.list_topics(call.person)
    return Topics(items=[TopicInfo(topic=one.code, name=one.name, wanted=one.wanted) for one in found])


@routes.put("/me/topics", rule="topic:change")
async def want(call: Call, body: Wanted) -> Topics:
    """Have no more of a kind of notices, or have it again."""
    change = opt_outs.opt_in if body.wanted else opt_outs.opt_out
    await change(call.person, body.topic, call.now, call.source)
    return await _topics(call)


@routes.get("/me/why-told", rule="topic:list", errors=(404,))
async def why_told(call: Call, query: WhyQuery) -> Why:
    """Why the caller was told something: which of the rule's parts led to them."""
    return Why(text=await audience_previews.why_told(call.person, query.delivery_id, call.now))


@routes.post("/audience-previews", rule="audience:preview", keyed=False)
async def preview(call: Call, body: RuleToTry) -> PreviewCounts:
    """Count whom a rule would reach in the caller's area, before anything is sent."""
    found = await audience_previews.preview(
        call.person, body.audience, call.now, call.source, topic=body.topic, event=body.event
    )
    return PreviewCounts(
        words=found.words,
        people=found.people,
        households=found.households,
        ways={str(via): count for via, count in found.ways.items()},
        skipped=dict(found.skipped),
        sample=[Sampled(name=one.name, place=one.place, via=one.via) for one in found.sample],
    )


def _line(one: Member) -> MemberLine:
    return MemberLine(**_of(one))


def _card(one: Member) -> MemberCard:
    return MemberCard(**_of(one), facts=[_fact(fact) for fact in one.facts], changed_at=one.changed_at)


def _of(one: Member) -> dict[str, Any]:
    names = ("id", "household_id", "place", "name", "relation", "birthday", "claimed")
    linked = one.resident_id is not None and not one.claimed
    return {name: getattr(one, name) for name in names} | {"linked": linked}


def _fact(fact: Fact) -> KnownFact:
    return KnownFact(code=fact.kind.code, name=fact.kind.name, value=fact.value, said=fact.said)
