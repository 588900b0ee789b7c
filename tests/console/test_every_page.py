"""What holds for every address of the console: who gets in, forms that are ours alone, words that stay words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.frame import Page, Visit, anyone, enrolling, signed_in
from models.audit import AuditEvent
from models.database import fetch
from tests.console.conftest import Desk
from tests.console.every_page import (
    ADMINISTRATORS,
    PEOPLE,
    Everything,
    every,
    make_everything,
    parameters,
    sit,
    visit_of,
)
from tests.console.words import MARK, poison
from tests.town import Town

_MOMENT = timedelta(seconds=2)
_ELSEWHERE = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
#: What administrators of security and audit see besides what everybody does.
_APART = {"安全员": ("/accounts",), "审计员": ("/audit",)}


@pytest.fixture
async def everything(town: Town) -> Everything:
    """One of each thing has happened."""
    return await make_everything(town)


def test_every_address_is_listed_once():
    addresses = [(page.method, page.path) for method in ("GET", "POST") for page in every(method)]
    assert sorted(addresses) == sorted(set(addresses))


async def test_every_name_in_an_address_has_a_sample(everything: Everything):
    for page in every("GET") + every("POST"):
        assert "{" not in everything.path(page), f"{page.path}: {parameters(page)}"


async def test_who_gets_in_is_what_each_page_says(town: Town, desk: Desk, everything: Everything):
    wrong: list[str] = []
    for name in PEOPLE:
        await sit(town, desk, name)
        visit = await visit_of(name) if name else None
        for page in every("GET"):
            town.clock.advance(_MOMENT)
            path = everything.path(page)
            await desk.open(path)
            if fault := _entry_fault(desk, page, visit):
                wrong.append(f"{name or 'nobody'} {path}: {fault}")
    assert wrong == []


def _entry_fault(desk: Desk, page: Page, visit: Visit | None) -> str:
    """What is wrong with the answer this person (None = nobody) got; "" for nothing."""
    if desk.status >= 500:
        return f"{desk.status}"
    let_in = "这一页不归您的岗位看" not in desk.page and not desk.path.endswith("/login")
    if page.path in ("/login", "/login/code"):
        return ""
    expected = page.who(visit) if visit else page.who is anyone
    return "" if let_in == expected else f"{desk.status} at {desk.path}, expected {'in' if expected else 'out'}"


async def test_a_page_asked_for_by_its_head_answers_the_same_without_a_body(town: Town, desk: Desk):
    for session, path, status in ((False, "/cases", 303), (True, "/cases", 200), (True, "/events?of=cases", 400)):
        if session:
            await sit(town, desk, "王芳")
        async with desk.session.head(f"{desk.url}/console{path}", allow_redirects=False) as answer:
            assert (answer.status, await answer.read()) == (status, b""), path
            assert answer.headers["Cache-Control"] == "no-store"


async def test_administrators_of_security_and_audit_have_no_business_with_cases(town: Town, desk: Desk, everything):
    for name, own in _APART.items():
        await sit(town, desk, name)
        for page in every("GET"):
            town.clock.advance(_MOMENT)
            if page.who in (anyone, enrolling, signed_in) or page.path.startswith(own):
                continue
            await desk.open(everything.path(page))
            assert desk.status == 403, (name, page.path)


async def test_no_form_does_anything_without_our_mark_or_from_another_site(town: Town, desk: Desk, everything):
    waiting = every("POST")
    for name in PEOPLE:
        visit = await visit_of(name) if name else None
        theirs = [page for page in waiting if (page.who(visit) if visit else page.who is anyone)]
        waiting = [page for page in waiting if page not in theirs]
        await sit(town, desk, name)
        await desk.open("/account" if name else "/login")
        for page in theirs:
            town.clock.advance(_MOMENT)
            await _does_nothing(desk, f"{desk.url}/console{everything.path(page)}")
    assert waiting == [], "nobody may send these"


async def _does_nothing(desk: Desk, path: str) -> None:
    """A form without the mark of the open page, or with it and from elsewhere."""
    done = await AuditEvent.filter(allowed=True).count()
    for headers, fields in (({"Origin": desk.url}, {}), (_ELSEWHERE, {"mark": _mark_of(desk)})):
        async with desk.session.post(path, data=fields, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 403, (path, headers, answer.status)
            assert "页面放得太久了" in await answer.text(), path
    assert await AuditEvent.filter(allowed=True).count() == done, path


def _mark_of(desk: Desk) -> str:
    return desk.page.split('name="mark" value="')[1].split('"')[0]


async def test_what_people_wrote_stays_words_on_every_page(town: Town, desk: Desk, everything: Everything):
    assert await poison() > 60
    seen, raw, shown = set[str](), [], set[str]()
    for name in ("李主任", *ADMINISTRATORS):
        await sit(town, desk, name)
        visit = await visit_of(name)
        for page in every("GET"):
            if page.path in seen or not page.who(visit) or page.path.endswith((".xlsx", "/export")):
                continue
            town.clock.advance(_MOMENT)
            text = await desk.open(everything.path(page))
            seen.add(page.path)
            if MARK in text or desk.status >= 500:
                raw.append(f"{name} {everything.path(page)}: {desk.status}")
            if "&lt;x-ss" in text or "\\u003cx-ss" in text:
                shown.add(page.path)
    await fetch("DELETE FROM outbox WHERE payload::text LIKE $1", f"%{MARK}%")
    assert raw == []
    assert len(shown) > 40, sorted(shown)
