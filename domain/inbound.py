"""Orders and updates that other platforms send: each works once, and only as the transition table allows.

A platform acts as what it is to the case: the post it fills for what that post holds; the reporter of what it ordered;
and for what lies in its area it may write progress, no more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import nlp
from domain import casework, rating, requests
from domain.access import begin_by_rule
from domain.connectors import AS_HOLDER, AS_REPORTER, link_case
from domain.coordinates import to_gcj
from domain.open311_filing import keep_contact
from domain.people import Person, ancestors, find_person, post_of
from domain.reports import Draft, Media, attach, report
from domain.requests import Wish
from errors import BadRequest, Conflict, NotAllowed, NotFound, Unprocessable
from models.cases import Case
from models.database import fetch, from_json, to_json, transaction
from models.enums import RequestKind, Source
from models.interconnection import Connector, ConnectorCase
from models.transitions import Verb


@dataclass(frozen=True, slots=True)
class Order:
    """What a platform wants done. `position` is (latitude, longitude) in WGS 84, or in GCJ-02 where `gcj` says so."""

    update_id: str
    external_id: str
    category: str
    description: str
    place: str = ""
    position: tuple[float, float] | None = None
    gcj: bool = False
    urgent: bool = False
    contact: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What a platform says of a case: of ours by `number`, or by its own `external_id`. `status` is one of theirs."""

    update_id: str
    status: str
    text: str
    number: str = ""
    external_id: str = ""
    photos: Sequence[str] = ()  # addresses at the platform's own host


@dataclass(frozen=True, slots=True)
class Arrival:
    """One signed message: from whom, as it came, and when."""

    connector: Connector
    body: Mapping[str, Any]
    at: datetime

    @property
    def via(self) -> str:
        """The platform in the audit trail; what it caused is not sent back to it."""
        return f"connector:{self.connector.name}"


Answer = dict[str, Any]

_FIRST = """
INSERT INTO inbound_update (connector_id, update_id, body, received_at, answer) VALUES ($1, $2, $3::jsonb, $4, '{}')
ON CONFLICT (connector_id, update_id) DO NOTHING RETURNING id
"""
_KNOWN = """
SELECT answer, body = $3::jsonb AS same FROM inbound_update WHERE connector_id = $1 AND update_id = $2
"""
_ANSWERED = "UPDATE inbound_update SET case_id = $2, answer = $3::jsonb WHERE id = $1"


async def _once(arrival: Arrival, update_id: str, work: Callable[[], Awaitable[tuple[int, Answer]]]) -> Answer:
    """Do the work for the first message with this id; give a repeated one the same answer. Raises Conflict where the
    same id comes with other words. A refused message leaves nothing, so that it may come again once it is mended."""
    async with transaction():
        row = arrival.connector.id, update_id, to_json(dict(arrival.body)), arrival.at
        first = await fetch(_FIRST, *row)
        if not first:
            known = (await fetch(_KNOWN, *row[:3]))[0]
            if not known["same"]:
                raise Conflict(
                    f"update {update_id} came with other words", say=f"update_id {update_id} 已经用过，内容不同。"
                )
            return {**from_json(known["answer"]), "repeated": True}
        case_id, answer = await work()
        await fetch(_ANSWERED, first[0]["id"], case_id, to_json(answer))
        return answer


async def take_order(arrival: Arrival, order: Order) -> Answer:
    """Make a case of an order, known by their number. Raises Unprocessable for a category we do not know."""
    category = _category(arrival.connector, order.category)

    async def work() -> tuple[int, Answer]:
        if await ConnectorCase.exists(connector_id=arrival.connector.id, external_id=order.external_id):
            raise Conflict(
                f"order {order.external_id} known", say=f"{order.external_id} 已经转来过，请用更新接口补充。"
            )
        receipt = await report(await _reporter(arrival), _draft(arrival, order, category), arrival.at)
        case = receipt.case
        await link_case(arrival.connector.id, case.id, order.external_id)
        await keep_contact(case.id, order.contact or {}, arrival.at, arrival.via)
        return case.id, {"number": case.number, "external_id": order.external_id, "status": _theirs(arrival, case)}

    return await _once(arrival, order.update_id, work)


def _draft(arrival: Arrival, order: Order, category: nlp.Category) -> Draft:
    position = (None, None) if order.position is None else order.position if order.gcj else to_gcj(*order.position)
    urgent = order.urgent or category.urgency == "urgent" or nlp.understand(order.description).urgent
    return Draft(
        description=order.description,
        category=category.code,
        subject=category.subject,
        domain=category.domain,
        place=order.place,
        urgent=urgent,
        latitude=position[0],
        longitude=position[1],
        source=Source.CONNECTOR,
        via=arrival.via,
    )


def _category(connector: Connector, theirs: str) -> nlp.Category:
    mapping = connector.mapping
    backwards = {other: ours for ours, other in mapping.get("categories", {}).items()}
    ours = mapping.get("orders", {}).get(theirs) or backwards.get(theirs) or theirs
    try:
        return nlp.category(ours)
    except NotFound:
        say = f"类别“{theirs}”没有对应：请管理员在映射的 orders 里补上。"
        raise Unprocessable(f"category {theirs!r} of {connector.name}", say=say) from None


async def take_update(arrival: Arrival, news: News, *, reopen_within: timedelta) -> Answer:
    """Carry out what a platform says of a case. Raises Unprocessable for a status we do not know, NotFound for a case
    that is not theirs, NotAllowed and Conflict as for anybody."""
    action = _action(arrival.connector, news.status)
    _check_photos(arrival.connector, news.photos)

    async def work() -> tuple[int, Answer]:
        case_id = await _find(arrival, news)
        if news.external_id:
            await link_case(arrival.connector.id, case_id, news.external_id)
        await _carry_out(arrival, case_id, action, news, reopen_within)
        case = await Case.get(id=case_id)
        return case_id, {"number": case.number, "verb": action.verb.value, "status": _theirs(arrival, case)}

    return await _once(arrival, news.update_id, work)


@dataclass(frozen=True, slots=True)
class Action:
    """What one of their statuses means. `outcome` of a disposal: explained or cannot; "" = it is solved."""

    verb: Verb
    outcome: Literal["", "explained", "cannot"] = ""


def _action(connector: Connector, theirs: str) -> Action:
    actions = connector.mapping.get("actions", {})
    if theirs in actions:
        verb, _, outcome = actions[theirs].partition(":")
        return Action(Verb(verb), outcome)
    if theirs == Verb.NOTE:
        return Action(Verb.NOTE)
    say = f"状态“{theirs}”没有对应：请管理员在映射的 actions 里补上，已有：{'、'.join(sorted(actions)) or '无'}。"
    raise Unprocessable(f"status {theirs!r} of {connector.name}", say=say)


def _check_photos(connector: Connector, photos: Sequence[str]) -> None:
    """A photo is fetched by us: from where the operator lets us send, and nowhere else."""
    if any(len(photo) > 256 or not connector.url or _host(photo) != _host(connector.url) for photo in photos):
        say = "照片地址必须在平台自己的地址下（和 url 同一个主机），不超过 256 字。"
        raise BadRequest("photo elsewhere", say=say)


def _host(address: str) -> str:
    """`https://host:port`; "" for what is no address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def _theirs(arrival: Arrival, case: Case) -> str:
    statuses: dict[str, str] = arrival.connector.mapping.get("statuses", {})
    return statuses.get(case.status.value, case.status.value)


async def _find(arrival: Arrival, news: News) -> int:
    """The case: one they have a number of, or one of ours in their area."""
    connector = arrival.connector
    link = await ConnectorCase.get_or_none(connector_id=connector.id, external_id=news.external_id)
    if link and not news.number:
        return link.case_id
    case = await Case.get_or_none(number=news.number) if news.number else None
    mine = case is not None and (
        connector.area_id is None or connector.area_id in await ancestors(case.grid_id or case.area_id)
    )
    if case is None or not mine:
        raise NotFound(f"case {news.number or news.external_id} of {connector.name}", tag="case:read", object_id=None)
    return int(case.id)


async def _reporter(arrival: Arrival) -> Person:
    """The platform as a reporter: a resident of its own, without a WeChat."""
    return await find_person(f"connector:{arrival.connector.id}", arrival.at)


async def _carry_out(arrival: Arrival, case_id: int, action: Action, news: News, within: timedelta) -> None:
    now, via, verb = arrival.at, arrival.via, action.verb
    if verb in AS_HOLDER:
        await _as_holder(await _as_post(arrival), case_id, action, news, (now, via))
    elif verb in AS_REPORTER:
        await _as_reporter(await _reporter(arrival), case_id, verb, news.text, (now, via, within))
    else:
        await _note(arrival, case_id, news)


def _media(news: News) -> list[Media]:
    return [Media("image", photo) for photo in news.photos]


async def _as_post(arrival: Arrival) -> Person:
    post = await post_of(arrival.connector.staff_id)
    if post is None:
        say = f"{arrival.connector.name} 没有对应的岗位，不能签收、处置或退回。"
        raise NotAllowed(f"{arrival.connector.name} fills no post", say=say, tag="case:hold")
    return Person("", 0, None, post)


async def _as_holder(person: Person, case_id: int, action: Action, news: News, when: tuple[datetime, str]) -> None:
    now, via = when
    if action.verb is Verb.SIGN:
        await casework.sign(person, case_id, now, via)
    elif action.verb is Verb.DISPOSE:
        media, outcome = _media(news), action.outcome
        await casework.dispose(person, case_id, news.text, now, media=media, outcome=outcome, source=via)
    else:
        await requests.ask(person, case_id, Wish(RequestKind.RETURN, news.text), now, via)


async def _as_reporter(
    person: Person, case_id: int, verb: Verb, text: str, when: tuple[datetime, str, timedelta]
) -> None:
    now, via, within = when
    if verb is Verb.SUPPLEMENT:
        await rating.supplement(person, case_id, text, now, via)
    elif verb is Verb.URGE:
        await rating.urge(person, case_id, now, via)
    elif verb is Verb.WITHDRAW:
        await rating.withdraw(person, case_id, now, via)
    elif verb is Verb.CLOSE:
        await rating.confirm_solved(person, case_id, now, via)
    else:
        await rating.say_not_solved(person, case_id, text, now, within=within, source=via)


async def _note(arrival: Arrival, case_id: int, news: News) -> None:
    """Progress the resident may read, in the platform's name."""
    if not news.text.strip():
        raise BadRequest("empty note", say="请写一句进展（text）。")
    work = await begin_by_rule(case_id, Verb.NOTE, arrival.at, arrival.via)
    if work is None:
        raise Conflict("not open", say="这件事已经结束，不能再写进展。", tag="case:note", object_id=case_id)
    sentence = f"{arrival.connector.name}：{news.text.strip()}"
    work.step(Verb.NOTE, sentence)
    await attach(work.case, _media(news), work.journal, after=True)
    await casework.tell_reporter(work, sentence)
    await work.finish()
