"""住户档案 over the API: households and what is known of people, for those who keep it and for whom it is about."""

from __future__ import annotations

from domain import audience_previews, facts, household_claims, households, opt_outs
from domain.audiences import fact_kinds
from domain.consents import need_own
from domain.homes import read_home
from errors import BadRequest
from miniapp_api.household_shapes import (
    Claim,
    Corrections,
    FactKindInfo,
    FactKinds,
    FactValue,
    HouseholdLine,
    HouseholdList,
    HouseholdPath,
    Households,
    Made,
    MemberCard,
    MemberChange,
    MemberFactPath,
    MemberPath,
    Members,
    MyRecord,
    NewHousehold,
    NewMember,
    PreviewCounts,
    RuleToTry,
    Sampled,
    TopicInfo,
    Topics,
    Wanted,
    Why,
    WhyQuery,
    card_of,
    line_of,
)
from miniapp_api.kernel import Call, Routes
from miniapp_api.pages import seal, unseal
from models.enums import Purpose

routes = Routes("households")


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
    return Members(items=[line_of(one) for one in found])


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
    return card_of(added)


@routes.get("/members/{member_id}", rule="member:keep")
async def show_member(call: Call, path: MemberPath) -> MemberCard:
    """What is known of somebody. Reading sensitive facts is noted."""
    return card_of(await facts.show_member(call.person, path.member_id, call.now, call.source))


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
    return card_of(changed)


@routes.delete("/members/{member_id}", rule="member:keep")
async def remove_member(call: Call, path: MemberPath) -> None:
    """Somebody moved out or died."""
    await households.remove_member(call.person, path.member_id, call.now, call.source)


@routes.put("/members/{member_id}/facts/{code}", rule="member:keep")
async def set_fact(call: Call, path: MemberFactPath, body: FactValue) -> MemberCard:
    """Note what is known of somebody."""
    return card_of(await facts.set_fact(call.person, path.member_id, path.code, body.value, call.now, call.source))


@routes.get("/claims", rule="claim:list")
async def list_claims(call: Call) -> Members:
    """Followers who say to belong to a household the caller keeps."""
    return Members(items=[line_of(one) for one in await household_claims.waiting_claims(call.person)])


@routes.post("/members/{member_id}/confirm", rule="claim:decide")
async def confirm(call: Call, path: MemberPath) -> MemberCard:
    """They are who they say."""
    return card_of(await household_claims.confirm(call.person, path.member_id, call.now, call.source))


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
    return MyRecord(record=card_of(found) if found else None)


@routes.patch("/me/record", rule="record:change")
async def correct(call: Call, body: Corrections) -> MyRecord:
    """Put right what is known of the caller."""
    return MyRecord(record=card_of(await facts.correct(call.person, body.changes, call.now, call.source)))


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
