"""转为事件 over the API: likely reports of a room, cases made of messages, what nobody has answered, a room's days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import Field

from domain import room_cards, room_cases, room_digests, room_questions
from domain.room_cards import Card
from domain.room_cases import MOST_TOGETHER, Changes, Filed
from domain.room_words import Entry
from domain.rooms import is_me
from miniapp_api.case_shapes import CaseState, PlaceText, SimilarCase, Text, similar_of, state_of
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from miniapp_api.room_shapes import Message, as_message

routes = Routes("room_cases")


class RoomPath(Body):
    """Which room."""

    room_id: Id


class MessagePath(Body):
    """Which message."""

    message_id: Id


class Messages(Body):
    """Entries, each with what it seems to report."""

    items: list[Message]
    next: str


class Kind(Body):
    """A kind of matter it may be."""

    category: str
    subject: str
    confidence: float


class HintCard(Body):
    """A message as the case it would become. `likely` = false: it does not look like a report, or was dismissed.

    `known_as` is what the place is called in the register; `similar` are open cases that may be the same matter;
    `more` belong to it (of the same person), `agree` are neighbours who say so too: both may go along as `together`.
    """

    message: Message
    likely: bool
    category: str
    subject: str
    place: str
    known_as: str
    urgent: bool
    confidence: float
    choices: list[Kind]
    similar: list[SimilarCase]
    more: list[Message]
    agree: list[Message]


class NewCase(Body):
    """What to put right before it becomes a case; what is left out is as it was understood.

    `together`: further messages of the room that belong to it. Their words and photos of the same person go in, others
    who wrote one follow the case.
    """

    category: Annotated[str, Field(max_length=64)] = ""
    place: PlaceText = ""
    text: Text = ""
    urgent: bool | None = None
    together: Annotated[tuple[Id, ...], Field(max_length=MOST_TOGETHER)] = ()


class Known(Body):
    """The open case it belongs to: 20261120-0037, 1120-0037 or 0037."""

    number: Annotated[str, Field(pattern=r"^(20\d{2})?(\d{4}-)?\d{4,6}$")]


class FiledCase(CaseState):
    """What a message has become. `holder`: who has it; "" while the community looks for somebody; `joined`: it was
    known already."""

    holder: str
    joined: bool


class Auto(Body):
    """Whether clear reports open a case by themselves."""

    on: bool


class Subject(Body):
    """A kind of matter and how often it was spoken of."""

    name: str
    times: int


class DayFigures(Body):
    """`answered_after`: seconds until somebody on duty answered, median; null = nobody had to, or nobody did."""

    messages: int
    speakers: int
    reports: int
    cases: int
    questions: int
    unanswered: int
    answered_after: int | None
    removed: int
    subjects: list[Subject]


class Day(Body):
    """A room's day."""

    day: date
    text: str
    figures: DayFigures | None


class Days(Body):
    """A room's days, the newest first."""

    items: list[Day]
    next: str


def _card(call: Call, card: Card) -> HintCard:
    def shown(entry: Entry) -> Message:
        return as_message(entry, staff=True, me=is_me(call.person, entry.by))

    return HintCard(
        message=shown(card.entry),
        likely=card.likely,
        category=card.category,
        subject=card.subject,
        place=card.place,
        known_as=card.known_as,
        urgent=card.urgent,
        confidence=card.confidence,
        choices=[Kind(category=one.category, subject=one.subject, confidence=one.confidence) for one in card.choices],
        similar=[similar_of(one) for one in card.similar],
        more=[shown(one) for one in card.more],
        agree=[shown(one) for one in card.agree],
    )


def _filed(filed: Filed, say: str) -> FiledCase:
    state = state_of(filed.case, say)
    return FiledCase(**state.model_dump(), holder=filed.holder.label if filed.holder else "", joined=filed.joined)


@routes.get("/rooms/{room_id}/hints", rule="room:watch")
async def list_hints(call: Call, path: RoomPath, query: Page) -> Messages:
    """Likely reports of a room that are no case yet, the newest first."""
    name = f"hints {path.room_id}"
    [before] = unseal(call, name, query.cursor) or [None]
    found = await room_cards.hints(call.person, path.room_id, before=before, limit=query.limit)
    return _messages(call, name, found, query.limit)


@routes.get("/rooms/{room_id}/questions", rule="room:watch")
async def list_questions(call: Call, path: RoomPath, query: Page) -> Messages:
    """What nobody on duty has answered in the last two days, the oldest first."""
    name = f"questions {path.room_id}"
    [beyond] = unseal(call, name, query.cursor) or [None]
    found = await room_questions.unanswered(call.person, path.room_id, call.now, beyond=beyond, limit=query.limit)
    return _messages(call, name, found, query.limit)


def _messages(call: Call, name: str, found: Sequence[Entry], limit: int) -> Messages:
    """A page as staff read it; `name` is the list its cursor is for."""
    following = seal(call, name, [found[-1].id]) if len(found) == limit else ""
    items = [as_message(one, staff=True, me=is_me(call.person, one.by)) for one in found]
    return Messages(items=items, next=following)


@routes.get("/rooms/{room_id}/digests", rule="room:watch")
async def list_digests(call: Call, path: RoomPath, query: Page) -> Days:
    """A room's days in figures, the newest first."""
    name = f"digests {path.room_id}"
    [before] = unseal(call, name, query.cursor) or [None]
    day = date.fromisoformat(before) if before else None
    found = await room_digests.digests(call.person, path.room_id, before=day, limit=query.limit)
    following = seal(call, name, [found[-1].day.isoformat()]) if len(found) == query.limit else ""
    return Days(items=[_day(one) for one in found], next=following)


def _day(digest: room_digests.Digest) -> Day:
    if not digest.figures:
        return Day(day=digest.day, text=digest.text, figures=None)
    subjects = [Subject(name=name, times=times) for name, times in digest.figures["subjects"]]
    return Day(day=digest.day, text=digest.text, figures=DayFigures(**digest.figures | {"subjects": subjects}))


@routes.get("/rooms/{room_id}/auto-cases", rule="room:watch")
async def show_auto(call: Call, path: RoomPath) -> Auto:
    """Whether clear reports of this room open a case by themselves."""
    return Auto(on=(await room_cards.watcher(call.person, path.room_id)).room.auto_case)


@routes.put("/rooms/{room_id}/auto-cases", rule="room:set")
async def set_auto(call: Call, path: RoomPath, body: Auto) -> Auto:
    """Let clear reports of this room open a case by themselves, or not. Dangers always do."""
    await room_cases.set_auto(call.person, path.room_id, call.now, on=body.on, source=call.source)
    return body


@routes.get("/messages/{message_id}/hint", rule="message:file")
async def show_hint(call: Call, path: MessagePath) -> HintCard:
    """A message as the case it would become: kind, place, what may be the same, what belongs to it."""
    return _card(call, await room_cards.card(call.person, path.message_id, call.now))


@routes.delete("/messages/{message_id}/hint", rule="message:file")
async def ignore_hint(call: Call, path: MessagePath) -> None:
    """Say that a likely report is none."""
    await room_cases.ignore_hint(call.person, path.message_id, call.now, call.source)


@routes.post("/messages/{message_id}/case", rule="message:file", status=201)
async def make_case(call: Call, path: MessagePath, body: NewCase) -> FiledCase:
    """Make a case of a message. The room reads its number and the promised time."""
    changes = Changes(body.category, body.place, body.text, body.urgent, body.together)
    filed = await room_cases.to_case(call.person, path.message_id, changes, call.now, call.source)
    return _filed(filed, "已转为事件 {number}，群里已经说明。")


@routes.post("/messages/{message_id}/join", rule="message:file")
async def join_case(call: Call, path: MessagePath, body: Known) -> FiledCase:
    """Add a message to an open case. Its sender follows it from now on."""
    filed = await room_cases.join_case(call.person, path.message_id, body.number, call.now, call.source)
    return _filed(filed, "已并入 {number}，群里已经说明。")
