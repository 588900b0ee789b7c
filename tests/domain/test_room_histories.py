"""Whatever is said, taken back, removed, shown and read in whatever order: the room is what a simple model says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain import room_messages, rooms
from domain.people import Person
from domain.room_words import Entry
from errors import LinliError
from models.enums import MessageKind, MessageState
from models.rooms import Room
from tests.domain.neighbours import first_room, neighbour, officer, words
from tests.town import Clock

#: Text to what becomes of it when a resident says it.
SAYINGS = {
    "早上好": MessageState.SHOWN,
    "灯坏了": MessageState.SHOWN,
    "打我13812345678": MessageState.REVIEW,
    "你这个傻逼": MessageState.REFUSED,
}
RESIDENTS, WORKER = ("chen", "zhao"), "wang"
UNSEEN = (MessageState.REVIEW, MessageState.REFUSED)


@dataclass
class Message:
    """A message as the model knows it."""

    sender: str
    text: str
    state: MessageState
    since: datetime


@dataclass
class Model:
    """The room in plain lists: `log` holds (kind, id of the message) in the order of the numbers."""

    messages: dict[int, Message] = field(default_factory=dict)
    log: list[tuple[str, int]] = field(default_factory=list)
    names: dict[tuple[str, str], int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)

    def allows(self, verb: str, who: str, message: Message, now: datetime) -> bool:
        """Whether the room lets somebody do this with a message."""
        if verb == "show":
            return True
        if message.state in UNSEEN and who not in (message.sender, WORKER):
            return False
        if verb == "recall":
            late = message.state is MessageState.SHOWN and now - message.since > timedelta(minutes=2)
            return who == message.sender and message.state is not MessageState.REMOVED and not late
        return who == WORKER and message.state not in (MessageState.RECALLED, MessageState.REMOVED)

    def act(self, verb: str, ident: int, now: datetime) -> None:
        """What an allowed act changes."""
        message = self.messages[ident]
        before = message.state
        if verb == "recall" and before is not MessageState.RECALLED:
            message.state, message.text = MessageState.RECALLED, ""
            self.log += [("recall", ident)] if before is MessageState.SHOWN else []
        elif verb == "remove":
            message.state = MessageState.REMOVED if before is MessageState.SHOWN else MessageState.REFUSED
            self.log += [("removal", ident)] if before is MessageState.SHOWN else []
        elif verb == "show" and before in UNSEEN:
            message.state, message.since = MessageState.SHOWN, now
            self.log.append(("text", ident))
        elif verb == "show" and before is MessageState.REMOVED:
            message.state = MessageState.SHOWN
            self.log.append(("return", ident))

    def reads(self, who: str) -> list[tuple[str, int, str]]:
        """(kind, message, text) of every number, as somebody reads it."""
        return [(kind, ident, self._text(ident, who) if kind == "text" else "") for kind, ident in self.log]

    def _text(self, ident: int, who: str) -> str:
        message = self.messages[ident]
        hidden = message.state is MessageState.REMOVED and who not in (message.sender, WORKER)
        return "" if hidden else message.text


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["say", "say", "say", "again", "recall", "recall", "remove", "show", "read"]),
        st.sampled_from([*RESIDENTS, WORKER]),
        st.sampled_from(sorted(SAYINGS)),
        st.integers(0, 30),
        st.integers(0, 150),
    ),
    min_size=10,
    max_size=40,
)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=MOVES)
async def test_a_room_is_what_was_done_in_it(
    orm: None, clock: Clock, moves: list[tuple[str, str, str, int, int]]
) -> None:
    await Room.all().delete()
    people = {name: await neighbour(name, clock()) for name in RESIDENTS} | {WORKER: await officer("G001")}
    room, model = await first_room(), Model()
    for verb, who, text, choice, seconds in moves:
        clock.advance(timedelta(seconds=seconds))
        if verb in ("say", "again"):
            await _say(model, room, people[who], who, text, f"{choice if verb == 'again' else len(model.names)}", clock)
        elif verb == "read":
            model.read[who] = max(model.read.get(who, 0), min(choice, len(model.log)))
            assert await room_messages.mark_read(people[who], room.id, choice) == model.read[who]
        elif model.messages:
            await _act(model, verb, people[who], who, sorted(model.messages)[choice % len(model.messages)], clock)
    for name, person in people.items():
        await _is_as_modelled(model, room, name, person)


async def _say(model: Model, room: Room, person: Person, who: str, text: str, name: str, clock: Clock) -> None:
    entry = await room_messages.post(person, room.id, words(text, name), clock())
    known = model.names.setdefault((who, name), entry.id)
    assert entry.id == known, "a name sent before is the entry it was then"
    if entry.id not in model.messages:
        state = SAYINGS[text]
        if who == WORKER and state is MessageState.REVIEW:
            state = MessageState.SHOWN
        model.messages[entry.id] = Message(who, text, state, clock())
        model.log += [("text", entry.id)] if state is MessageState.SHOWN else []
        assert entry.state is state


async def _act(model: Model, verb: str, person: Person, who: str, ident: int, clock: Clock) -> None:
    allowed = model.allows(verb, who, model.messages[ident], clock())
    assert await _is_done(verb, person, ident, clock()) == allowed, f"{who}: {verb} {model.messages[ident]}"
    if allowed:
        model.act(verb, ident, clock())


async def _is_done(verb: str, person: Person, ident: int, now: datetime) -> bool:
    try:
        if verb == "show":
            await room_messages.show(ident, now)
        elif verb == "recall":
            await room_messages.recall(person, ident, now)
        else:
            await room_messages.remove(person, ident, "不合适", now)
    except LinliError:
        return False
    return True


async def _is_as_modelled(model: Model, room: Room, name: str, person: Person) -> None:
    read = await _whole(person, room.id)
    assert [entry.seq for entry in read] == list(range(1, len(model.log) + 1))
    assert [(entry.kind, entry.target or entry.id, entry.text) for entry in read] == model.reads(name)
    own = [ident for ident, one in model.messages.items() if one.sender == name and one.state in UNSEEN]
    assert [entry.id for entry in await room_messages.waiting(person, room.id)] == sorted(own)
    [line] = [line for line in await rooms.my_rooms(person) if line.id == room.id]
    news = [
        ident for kind, ident in model.log[model.read.get(name, 0) :]
        if kind == MessageKind.TEXT and model.messages[ident].sender != name
    ]  # fmt: skip
    assert (line.last_seq, line.unread) == (len(model.log), len(news))


async def _whole(person: Person, room_id: int) -> list[Entry]:
    """The room page by page, three entries at a time."""
    read: list[Entry] = []
    while page := await room_messages.entries(person, room_id, after=len(read), limit=3):
        read += page
    return read
