"""Categories and the words by which messages are understood: looked up by all, tried and changed by the district."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.frame import Form, Pages, Visit
from domain import word_rules, word_views
from domain.word_rules import Effect
from errors import NotFound

pages = Pages()

KINDS = {"word": "说的就是它", "needs": "必须有其中一个", "not": "有它就不是", "off": "停用自带的词"}
_STEP = Annotated[str, Field(pattern="^(try|write)$", title="做什么")]


class Wanted(Form):
    """Which categories."""

    words: Annotated[str, Field(max_length=32, title="类别")] = ""


class NewRule(Form):
    """A rule as it is typed."""

    kind: Annotated[str, Field(max_length=8, title="作用")]
    entry: Annotated[str, Field(min_length=1, max_length=200, title="词")]
    weight: Annotated[float, Field(ge=word_rules.LIGHTEST, le=word_rules.HEAVIEST, title="分量")] = 2.0
    note: Annotated[str, Field(max_length=200, title="原因")] = ""
    step: _STEP = "try"


class End(Form):
    """A rule ends, or what that would do."""

    step: _STEP = "try"


@pages.get("/rules/words")
async def show(visit: Visit) -> web.StreamResponse:
    """All categories."""
    wanted, found = visit.query(Wanted), await word_views.list_categories()
    shown = [one for one in found if wanted.words in one.name or wanted.words in one.group]
    return visit.render("words.html", title="类别和关键词", wanted=wanted, categories=shown)


@pages.get("/rules/words/{code}")
async def one(visit: Visit) -> web.StreamResponse:
    """One category with its words."""
    category, shipped, kept = await word_views.rules_of(visit.request.match_info["code"])
    return visit.render(
        "words_of.html",
        title=category.name,
        category=category,
        shipped=shipped,
        kept=kept,
        kinds=KINDS,
        edits=word_rules.may_edit(visit.staff),
    )


@pages.post("/rules/words/{code}")
async def add(visit: Visit) -> web.StreamResponse:
    """What a rule would do to the newest cases; or it is added."""
    word_rules.check_may_edit(visit.staff)
    code, given = visit.request.match_info["code"], await visit.form(NewRule)
    rule = word_rules.make_rule(code, given.kind, given.entry, given.weight)
    if given.step == "try":
        return _effect(visit, code, await word_rules.preview_adding(rule), f"加上“{rule.entry}”")
    await word_rules.add_rule(visit.staff, rule, given.note, visit.now)
    return visit.go(f"/rules/words/{code}", f"已加上“{rule.entry}”，几秒后开始起作用。")


@pages.post("/rules/words/{code}/{rule}/end")
async def end(visit: Visit) -> web.StreamResponse:
    """The same for a rule that ends."""
    word_rules.check_may_edit(visit.staff)
    code, said, given = visit.request.match_info["code"], visit.request.match_info["rule"], await visit.form(End)
    if not (said.isascii() and said.isdecimal() and len(said) < 10):
        raise NotFound(f"rule {said[:20]!r}", say="没有这条规则。")
    if given.step == "try":
        return _effect(visit, code, await word_rules.preview_ending(int(said)), "停用这一条")
    await word_rules.end_rule(visit.staff, int(said), visit.now)
    return visit.go(f"/rules/words/{code}", "已停用，几秒后不再起作用。")


def _effect(visit: Visit, code: str, effect: Effect, what: str) -> web.Response:
    part = "words_effect.html" if visit.by_htmx else "words_tried.html"
    names, urgencies = word_views.name_of, word_views.URGENCY_NAMES
    return visit.render(part, title="试一试", effect=effect, what=what, code=code, name_of=names, urgencies=urgencies)
