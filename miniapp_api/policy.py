"""Who may do what over the API: one table, from which requests are judged, tests are made and the document is written.

A rule says for each role to which objects it applies: `Relation` is the smallest area that both the person's own area
(a resident's grid, a post's area) and the object lie in, or that the object is their own. What the table does not name
is refused: 401 without a token, 403 for a verb on what one may read, else 404, exactly as for what does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.people import Person
from errors import NotAllowed, NotFound, NotSignedIn
from models.enums import Role


class Relation(StrEnum):
    """What an object is to a person."""

    OWN = "own"  # they made it, hold it, or it is about themselves
    SAME_GRID = "same_grid"
    SAME_COMMUNITY = "same_community"
    SAME_STREET = "same_street"
    SAME_DISTRICT = "same_district"
    ELSEWHERE = "elsewhere"
    DELETED = "deleted"


class Caller(StrEnum):
    """What a person is to the API; staff by their role."""

    NOBODY = "nobody"  # without a token
    RESIDENT = "resident"
    GRID_WORKER = Role.GRID_WORKER
    COMMUNITY_STAFF = Role.COMMUNITY_STAFF
    STREET_STAFF = Role.STREET_STAFF
    DISTRICT_STAFF = Role.DISTRICT_STAFF
    CITY_STAFF = Role.CITY_STAFF
    DEPARTMENT_STAFF = Role.DEPARTMENT_STAFF


STAFF = tuple(Caller(role) for role in Role)
SIGNED_IN = (Caller.RESIDENT, *STAFF)

OWN = frozenset({Relation.OWN})
GRID = OWN | {Relation.SAME_GRID}
COMMUNITY = GRID | {Relation.SAME_COMMUNITY}
STREET = COMMUNITY | {Relation.SAME_STREET}
DISTRICT = STREET | {Relation.SAME_DISTRICT}
ANYWHERE = DISTRICT | {Relation.ELSEWHERE}
#: Each post with the objects of its own area: a grid worker's grid, a community's grids, and so on.
OWN_AREA: Mapping[Caller, frozenset[Relation]] = {
    Caller.GRID_WORKER: GRID,
    Caller.COMMUNITY_STAFF: COMMUNITY,
    Caller.STREET_STAFF: STREET,
    Caller.DISTRICT_STAFF: DISTRICT,
    Caller.CITY_STAFF: ANYWHERE,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `kind` is what the path names ("" = nothing: a list, or what is the caller's own by itself);
    `reads` is the rule by which the object is read where this one is about doing something with it."""

    kind: str
    may: Mapping[Caller, frozenset[Relation]] = field(default_factory=dict)
    reads: str = ""

    @property
    def public(self) -> bool:
        """Whether no token is needed."""
        return Caller.NOBODY in self.may


def everybody(*callers: Caller, to: frozenset[Relation] = OWN) -> dict[Caller, frozenset[Relation]]:
    """The same relations for several."""
    return dict.fromkeys(callers, to)


_EVERYBODY_AND_NOBODY = everybody(Caller.NOBODY, *SIGNED_IN)
#: Who sits in rooms on duty, and all who do. A department's officers sit where their department is (here: a street's).
_ON_DUTY = {**OWN_AREA, Caller.DEPARTMENT_STAFF: STREET}
_IN_ROOM = {Caller.RESIDENT: GRID, **_ON_DUTY}

#: Cases: who has one or answers for its place; who may give it to others; who may act on it; who looks at others' work.
_DUTY = {**OWN_AREA, Caller.DEPARTMENT_STAFF: OWN}
_DISPATCH: dict[Caller, frozenset[Relation]] = {
    caller: where for caller, where in OWN_AREA.items() if caller is not Caller.GRID_WORKER
}
_LEAD = everybody(*STAFF) | _DISPATCH
_CHECK = {Caller.GRID_WORKER: GRID - OWN} | _DISPATCH

#: Who does something for residents without WeChat, and for whom it may be done.
_FOR_OTHERS = {caller: OWN_AREA[caller] for caller in (Caller.GRID_WORKER, Caller.COMMUNITY_STAFF)}
_FILLS_IN: dict[Caller, frozenset[Relation]] = {Caller.RESIDENT: GRID, **_FOR_OTHERS}
_APPLICANTS = everybody(Caller.RESIDENT, *_FOR_OTHERS)
#: Who decides about them: a department about those of its items.
_DECIDES = {**_DISPATCH, Caller.DEPARTMENT_STAFF: STREET}

#: Who decides about what is said in rooms.
_MODERATORS = {caller: OWN_AREA[caller] for caller in (Caller.GRID_WORKER, Caller.COMMUNITY_STAFF, Caller.STREET_STAFF)}

POLICY: dict[str, Rule] = {
    "document:read": Rule("", _EVERYBODY_AND_NOBODY),
    "connector:send": Rule("", everybody(Caller.NOBODY)),  # who signs is the guard's to check
    "group:send": Rule("", everybody(Caller.NOBODY)),  # and here
    "socket:open": Rule("", _EVERYBODY_AND_NOBODY),  # whoever connects signs in with the first frame
    "login:enter": Rule("", _EVERYBODY_AND_NOBODY),
    "login:leave": Rule("", everybody(*SIGNED_IN)),
    "login:end": Rule("login", everybody(*SIGNED_IN)),
    "me:read": Rule("", everybody(*SIGNED_IN)),
    "me:change": Rule("", everybody(Caller.RESIDENT)),
    "consent:change": Rule("consent", everybody(Caller.RESIDENT), reads="me:read"),
    "me:export": Rule("", everybody(Caller.RESIDENT)),
    "me:erase": Rule("", everybody(Caller.RESIDENT)),
    "grid:list": Rule("", everybody(*SIGNED_IN)),
    "room:list": Rule("", everybody(*SIGNED_IN)),
    "room:read": Rule("room", _IN_ROOM),
    "room:speak": Rule("room", _IN_ROOM),
    "room:announce": Rule("room", _ON_DUTY, reads="room:read"),
    "room:open": Rule("", everybody(Caller.RESIDENT, Caller.GRID_WORKER, Caller.COMMUNITY_STAFF)),
    # How a resident is reached, for who talks with them in private; the rooms of grids have no such thing.
    "room:reach": Rule("room", {Caller.GRID_WORKER: GRID, Caller.COMMUNITY_STAFF: COMMUNITY}, reads="room:read"),
    "message:read": Rule("message", _IN_ROOM),
    "message:recall": Rule("message", everybody(*SIGNED_IN), reads="message:read"),
    "message:remove": Rule("message", OWN_AREA, reads="message:read"),
    "message:file": Rule("said", OWN_AREA, reads="message:read"),
    "room:watch": Rule("room", _ON_DUTY, reads="room:read"),
    "room:set": Rule("room", _DISPATCH, reads="room:read"),
    "message:complain": Rule(
        "message", {caller: where - OWN for caller, where in _IN_ROOM.items()}, reads="message:read"
    ),
    "message:appeal": Rule("message", everybody(*SIGNED_IN), reads="message:read"),
    "room:appeal": Rule("room", _IN_ROOM),
    "room:mute": Rule("room", _MODERATORS, reads="room:read"),
    "room:unmute": Rule("mute", _MODERATORS, reads="room:read"),
    "review:list": Rule("", everybody(*_MODERATORS)),
    "review:decide": Rule("review", {caller: where - OWN for caller, where in _MODERATORS.items()}),
    "upload:send": Rule("", everybody(*SIGNED_IN)),
    "file:link": Rule("", everybody(*SIGNED_IN)),
    "file:open": Rule("file", _EVERYBODY_AND_NOBODY),  # the address itself says for whom
    "report:preview": Rule("", everybody(Caller.RESIDENT)),
    "report:make": Rule("", everybody(Caller.RESIDENT)),
    "case:list": Rule("", everybody(Caller.RESIDENT)),
    "case:read": Rule("case", _DUTY | everybody(Caller.RESIDENT)),
    "case:urge": Rule("case", everybody(Caller.RESIDENT), reads="case:read"),
    "case:supplement": Rule("case", everybody(Caller.RESIDENT), reads="case:read"),
    "case:withdraw": Rule("case", everybody(Caller.RESIDENT), reads="case:read"),
    "case:rate": Rule("result", everybody(Caller.RESIDENT), reads="case:read"),
    "case:join": Rule("lamp", everybody(Caller.RESIDENT, to=ANYWHERE)),
    "case:leave": Rule("followed", everybody(Caller.RESIDENT)),
    "follow:list": Rule("", everybody(Caller.RESIDENT)),
    "follow:read": Rule("followed", everybody(Caller.RESIDENT)),
    "task:list": Rule("", everybody(*STAFF)),
    "area:list": Rule("", everybody(*STAFF)),
    "shortlist:list": Rule("", everybody(*STAFF)),
    "shortlist:put": Rule("case", _DUTY),
    "shortlist:take": Rule("case", everybody(*STAFF, to=frozenset(Relation))),  # of one's own list, whatever is on it
    "patrol:make": Rule("", everybody(*STAFF)),
    "on_behalf:make": Rule("", everybody(*STAFF)),
    "case:call": Rule("told", _DUTY),
    "case:contact": Rule("case", _DUTY, reads="case:read"),
    "case:sign": Rule("case", everybody(*STAFF), reads="case:read"),
    "case:note": Rule("case", _LEAD, reads="case:read"),
    "case:memo": Rule("case", _DUTY, reads="case:read"),
    "case:dispose": Rule("case", everybody(*STAFF), reads="case:read"),
    "case:escalate": Rule("case", _LEAD, reads="case:read"),
    "case:ask": Rule("case", everybody(*STAFF), reads="case:read"),
    "case:ask_void": Rule("case", _LEAD, reads="case:read"),
    "case:decide": Rule("asked", _DISPATCH, reads="case:read"),
    "case:transfer": Rule("case", _LEAD, reads="case:read"),
    "case:take_over": Rule("offered", everybody(*STAFF), reads="case:read"),
    "case:assist": Rule("case", _LEAD, reads="case:read"),
    "case:assisted": Rule("assisting", everybody(*STAFF), reads="case:read"),
    "case:answer": Rule("case", everybody(*STAFF), reads="case:read"),
    "case:wait": Rule("case", everybody(*STAFF), reads="case:read"),
    "case:resume": Rule("case", _LEAD, reads="case:read"),
    "case:verify": Rule("case", _CHECK, reads="case:read"),
    "case:rework": Rule("case", _CHECK, reads="case:read"),
    "case:dispatch": Rule("case", _DISPATCH, reads="case:read"),
    "case:reject": Rule("case", _DISPATCH, reads="case:read"),
    # What is offered in an area is read by who lives there, and by who works there or above.
    "service:list": Rule("", everybody(*SIGNED_IN)),
    "service:read": Rule("service", _IN_ROOM),
    "service:tick": Rule("service", {Caller.RESIDENT: GRID}, reads="service:read"),
    "service:ask": Rule("", everybody(Caller.RESIDENT)),
    "service:watch": Rule("", everybody(*STAFF)),
    "service:review": Rule("service", _DISPATCH, reads="service:read"),
    "missing:done": Rule("missing", _DISPATCH),
    # Whoever may read an item's form fills it in for themselves; the grid's worker and the community for others.
    "form:read": Rule("form", _IN_ROOM),
    "form:fill": Rule("form", _FILLS_IN, reads="form:read"),
    # What can be booked is read as items are; what was booked is its owner's, and of who works there or above.
    "plan:list": Rule("", everybody(*SIGNED_IN)),
    "plan:read": Rule("plan", _IN_ROOM),
    "plan:make": Rule("", everybody(*_DISPATCH)),
    "plan:change": Rule("plan", _DISPATCH, reads="plan:read"),
    "slot:book": Rule("slot", _IN_ROOM),
    "slot:change": Rule("slot", OWN_AREA, reads="slot:book"),
    "booking:list": Rule("", everybody(*SIGNED_IN)),
    "booking:read": Rule("booking", _DUTY | everybody(Caller.RESIDENT)),
    "booking:change": Rule("booking", _DUTY | everybody(Caller.RESIDENT)),
    "booking:move": Rule("movable", _DUTY | everybody(Caller.RESIDENT)),
    "booking:rate": Rule("attended", everybody(*SIGNED_IN), reads="booking:read"),
    "booking:watch": Rule("", everybody(*OWN_AREA)),
    "booking:arrive": Rule("", everybody(*OWN_AREA)),
    "booking:excuse": Rule("missed", OWN_AREA, reads="booking:read"),
    "application:list": Rule("", everybody(Caller.RESIDENT, Caller.GRID_WORKER, Caller.COMMUNITY_STAFF)),
    "application:read": Rule("application", {**_ON_DUTY, Caller.RESIDENT: OWN}),
    "application:supplement": Rule("asked_application", _APPLICANTS, reads="application:read"),
    "application:withdraw": Rule("application", _APPLICANTS, reads="application:read"),
    "application:rate": Rule("done_application", _APPLICANTS, reads="application:read"),
    "application:watch": Rule("", everybody(*_ON_DUTY)),
    "application:take": Rule("application", _DECIDES, reads="application:read"),
    "application:work": Rule("application", everybody(*_DECIDES), reads="application:read"),
    "provider:list": Rule("", everybody(*SIGNED_IN)),
    "provider:read": Rule("provider", _IN_ROOM),
    "provider:rate": Rule("provider", {Caller.RESIDENT: GRID}, reads="provider:read"),
    "provider:complain": Rule("provider", {Caller.RESIDENT: GRID}, reads="provider:read"),
    # Who lives somewhere reads what is asked there and answers it; its officers write it, others let it out.
    "survey:list": Rule("", everybody(*SIGNED_IN)),
    "survey:read": Rule("survey", _IN_ROOM),
    "survey:make": Rule("", everybody(*_DISPATCH)),
    "survey:change": Rule("survey", _DISPATCH, reads="survey:read"),
    "survey:decide": Rule("survey", _DISPATCH, reads="survey:read"),
    "survey:answer": Rule("survey", {Caller.RESIDENT: GRID}, reads="survey:read"),
    "survey:answer_for": Rule("elder", OWN_AREA, reads="survey:read"),
    "survey:results": Rule("survey", _IN_ROOM),
    "survey:export": Rule("survey", _DISPATCH, reads="survey:read"),
    "survey:watch": Rule("vote", OWN_AREA, reads="survey:read"),
    "follow_up:list": Rule("", everybody(Caller.RESIDENT)),
    "follow_up:answer": Rule("follow_up", everybody(Caller.RESIDENT)),
    "follow_up:watch": Rule("", everybody(*STAFF)),
    "quota:read": Rule("", everybody(*OWN_AREA)),
    # Households and what is known of people are kept by the grid's worker and the community; each reads their own.
    "fact_kind:list": Rule("", everybody(*SIGNED_IN)),
    "household:list": Rule("", everybody(*_FOR_OTHERS)),
    "household:add": Rule("", everybody(*_FOR_OTHERS)),
    "household:keep": Rule("household", _FOR_OTHERS),
    "member:keep": Rule("household_member", _FOR_OTHERS),
    "claim:list": Rule("", everybody(*_FOR_OTHERS)),
    "claim:decide": Rule("household_claim", _FOR_OTHERS),
    "record:read": Rule("", everybody(Caller.RESIDENT)),
    "record:change": Rule("", everybody(Caller.RESIDENT)),
    "topic:list": Rule("", everybody(Caller.RESIDENT)),
    "topic:change": Rule("", everybody(Caller.RESIDENT)),
    # Who answers for an area writes what is told there; somebody else of it or above looks at it first.
    "broadcast:make": Rule("", everybody(*OWN_AREA)),
    "broadcast:list": Rule("", everybody(*OWN_AREA)),
    "broadcast:read": Rule("broadcast", OWN_AREA),
    "broadcast:change": Rule("broadcast", everybody(*OWN_AREA), reads="broadcast:read"),
    "broadcast:decide": Rule(
        "handed_in", {caller: where - OWN for caller, where in _DISPATCH.items()}, reads="broadcast:read"
    ),
    "broadcast:control": Rule("approved", _DISPATCH | {Caller.GRID_WORKER: OWN}, reads="broadcast:read"),
    "broadcast:resume": Rule("stopped", _DISPATCH | {Caller.GRID_WORKER: OWN}, reads="broadcast:read"),
    "broadcast:unread": Rule("broadcast", OWN_AREA),
    "delivery:list": Rule("", everybody(*SIGNED_IN)),
    "delivery:read": Rule("delivery", everybody(*SIGNED_IN)),
    "delivery:tell": Rule("unread", OWN_AREA),
    "audience:preview": Rule("", everybody(*OWN_AREA)),
    "activity:list": Rule("", everybody(*SIGNED_IN)),
    "activity:read": Rule("activity", _IN_ROOM),
    "activity:join": Rule("activity", _IN_ROOM, reads="activity:read"),
    "activity:arrive": Rule("", everybody(Caller.RESIDENT)),
    "activity:watch": Rule("", everybody(*OWN_AREA)),
    "activity:make": Rule("", everybody(*OWN_AREA)),
    "activity:manage": Rule("activity", OWN_AREA, reads="activity:read"),
    "volunteer:read": Rule("", everybody(Caller.RESIDENT)),
    "volunteer:correct": Rule("shift", OWN_AREA),
    "certificate:make": Rule("", everybody(Caller.RESIDENT)),
    "certificate:read": Rule("certificate", everybody(Caller.RESIDENT)),
    "certificate:check": Rule("certificate", _EVERYBODY_AND_NOBODY),  # who has the number, has the paper
    "badge:list": Rule("", everybody(*SIGNED_IN)),
    "badge:grant": Rule("room", {Caller.COMMUNITY_STAFF: COMMUNITY}, reads="room:read"),
    "badge:agree": Rule("badge", everybody(*SIGNED_IN), reads="badge:end"),
    "badge:end": Rule("badge", everybody(*SIGNED_IN) | {Caller.COMMUNITY_STAFF: COMMUNITY}),
}


def callers_of(person: Person) -> set[Caller]:
    """Everything a person is: somebody may live in a grid and work in another."""
    found = {Caller.RESIDENT} if person.resident_id else set[Caller]()
    if person.post:
        found.add(Caller(person.post.role))
    return found or {Caller.NOBODY}


def admit(person: Person, rule: str) -> None:
    """Let through whom the table names at all; to which objects is the domain's to check. So it is for who may read
    such objects: whether this is one of them decides between 403 and 404.

    Raises NotSignedIn, NotAllowed or NotFound.
    """
    row = POLICY[rule]
    callers = callers_of(person)
    readers = POLICY[row.reads].may.keys() if row.reads else set[Caller]()
    if row.public or callers & (row.may.keys() | readers):
        return
    if callers == {Caller.NOBODY}:
        raise NotSignedIn(rule)
    if not row.kind:
        raise NotAllowed(f"{person.actor} may not {rule}", tag=rule[:40])
    raise NotFound(f"{person.actor} may not {rule}", tag=rule[:40])
