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

POLICY: dict[str, Rule] = {
    "document:read": Rule("", _EVERYBODY_AND_NOBODY),
    "connector:send": Rule("", everybody(Caller.NOBODY)),  # who signs is the guard's to check
    "socket:open": Rule("", _EVERYBODY_AND_NOBODY),  # whoever connects signs in with the first frame
    "login:enter": Rule("", _EVERYBODY_AND_NOBODY),
    "login:leave": Rule("", everybody(*SIGNED_IN)),
    "login:end": Rule("login", everybody(*SIGNED_IN)),
    "me:read": Rule("", everybody(*SIGNED_IN)),
    "me:change": Rule("", everybody(*SIGNED_IN)),
    "grid:list": Rule("", everybody(*SIGNED_IN)),
}


def callers_of(person: Person) -> set[Caller]:
    """Everything a person is: somebody may live in a grid and work in another."""
    found = {Caller.RESIDENT} if person.resident_id else set[Caller]()
    if person.post:
        found.add(Caller(person.post.role))
    return found or {Caller.NOBODY}


def admit(person: Person, rule: str) -> None:
    """Let through whom the table names at all; to which objects is the domain's to check.

    Raises NotSignedIn, NotAllowed or NotFound.
    """
    row = POLICY[rule]
    callers = callers_of(person)
    if row.public or callers & row.may.keys():
        return
    if callers == {Caller.NOBODY}:
        raise NotSignedIn(rule)
    readers = POLICY[row.reads].may.keys() if row.reads else SIGNED_IN if not row.kind else ()
    if callers & set(readers):
        raise NotAllowed(f"{person.actor} may not {rule}", tag=rule[:40])
    raise NotFound(f"{person.actor} may not {rule}", tag=rule[:40])
