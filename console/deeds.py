"""Forms that do one thing to one object, as a table: what each brings, where in the domain it goes, what is said then.

    steps = (Deed("pause", broadcast_control.pause, "暂停了，还没发出的先不发。", Why, "why"), …)
    mount(pages, "/broadcasts/{broadcast}", steps, which=_ident, back=again("/broadcasts", _ident))

Only what is the same every time belongs here: a form that asks twice, or gathers what it needs first, has a handler of
its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from console.frame import Form, Handler, Pages, Visit, Who, staff

#: Back to where the form stood, or on: gets what the domain function gave, and the sentence.
Back = Callable[[Visit, Any, str], Awaitable[web.StreamResponse]]


class Nothing(Form):
    """A button alone."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One form. `path`: below the object's address; `do(person, id, …, now, source=…)` gets in between the fields
    that `takes` names, in that order; `said` afterwards: a sentence, or what makes one of what `do` gave."""

    path: str
    do: Callable[..., Awaitable[Any]]
    said: str | Callable[[Any], str]
    form: type[Form] = Nothing
    takes: str = ""


def again(path: str, which: Callable[[Visit], int]) -> Back:
    """Back to the object's own page, below `path`."""

    async def back(visit: Visit, _outcome: Any, said: str) -> web.StreamResponse:
        return visit.go(f"{path}/{which(visit)}", said)

    return back


def _person(visit: Visit) -> Any:
    return visit.staff


def mount(
    pages: Pages,
    at: str,
    deeds: Sequence[Deed],
    *,
    which: Callable[[Visit], int],
    back: Back,
    who: Who = staff,
    by: Callable[[Visit], Any] = _person,
) -> None:
    """Their addresses, below `at`. `which`: the object in the address; `by`: who acts, as the domain functions take
    them."""
    for deed in deeds:
        pages.post(f"{at}/{deed.path}", who=who)(_handler(deed, which, back, by))


def _handler(deed: Deed, which: Callable[[Visit], int], back: Back, by: Callable[[Visit], Any]) -> Handler:
    async def handle(visit: Visit) -> web.StreamResponse:
        given = await visit.form(deed.form)
        fields = [getattr(given, name) for name in deed.takes.split()]
        outcome = await deed.do(by(visit), which(visit), *fields, visit.now, source=visit.source)
        return await back(visit, outcome, deed.said if isinstance(deed.said, str) else deed.said(outcome))

    return handle
