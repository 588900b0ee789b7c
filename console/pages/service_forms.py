"""申请表: what residents are asked who apply for an item online, written question by question, seen as in the chat."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from console.audit_words import say_actor
from console.frame import Form, Pages, Visit, staff
from console.values import MaybeIdent
from domain import form_desk
from domain.form_desk import MOST_FIELDS, FieldWords, FormSheet, FormWords
from domain.form_tables import TYPES
from errors import BadRequest

pages = Pages()

_SHOWN = 50
_ALL = "/services/forms"
_ONE = f"{_ALL}/{{item_id:[0-9]{{1,9}}}}"
#: Empty lines below those that are there.
_SPARE = 3


class ListQuery(Form):
    """`after`: where the page before ended."""

    after: MaybeIdent = None


class Which(Form):
    """The item that gets its first form."""

    item: Annotated[int, Field(ge=1, le=2**31 - 1, title="事项")]


@pages.get(_ALL, who=staff)
async def show_all(visit: Visit) -> web.StreamResponse:
    """Items with a form, and those that could get one."""
    rows = await form_desk.form_rows(visit.staff, after=visit.query(ListQuery).after or 0, limit=_SHOWN)
    return visit.render(
        "service_forms.html",
        title="申请表",
        rows=rows,
        following=rows[-1].item_id if len(rows) == _SHOWN else 0,
        formless=await form_desk.formless_items(visit.staff),
    )


@pages.get(f"{_ALL}/open", who=staff)
async def choose(visit: Visit) -> web.StreamResponse:
    """On to the form of the item that was chosen."""
    return visit.go(f"{_ALL}/{visit.query(Which).item}")


Cells = tuple[Annotated[str, Field(max_length=400)], ...]


class Written(Form):
    """A form as it was typed: each question's parts stand at the same place of their lists; lines without a name are
    none."""

    seen: Annotated[str, Field(max_length=16, title="版本")] = ""
    time_limit: Annotated[str, Field(max_length=16, title="办理时限")] = ""
    active: bool = False
    place: Annotated[Cells, Field(max_length=MOST_FIELDS, title="第几项")] = ()
    label: Annotated[Cells, Field(max_length=MOST_FIELDS, title="名称")] = ()
    kind: Annotated[Cells, Field(max_length=MOST_FIELDS, title="类型")] = ()
    needed: Annotated[Cells, Field(max_length=MOST_FIELDS, title="必填")] = ()
    limits: Annotated[Cells, Field(max_length=MOST_FIELDS, title="选项或范围")] = ()
    hint: Annotated[Cells, Field(max_length=MOST_FIELDS, title="提示")] = ()

    @property
    def words(self) -> FormWords:
        """As the domain takes it. Raises BadRequest."""
        columns = (self.place, self.label, self.kind, self.needed, self.limits, self.hint)
        if len({len(column) for column in columns}) > 1:
            raise BadRequest("lists of a form", say="这一页的内容变了，请刷新再填。")
        found = []
        for number, (place, label, kind, needed, limits, hint) in enumerate(zip(*columns, strict=True), 1):
            if label:
                found.append((_turn(place, number), FieldWords(label, kind, needed != "选填", limits, hint)))
            elif limits or hint:
                raise BadRequest("field without a name", say=f"第 {number} 项还没有名称，请写上，或把这一项全部清空。")
        questions = [words for _, words in sorted(found, key=lambda one: one[0])]
        return FormWords(questions, self.time_limit, self.active)


def _turn(said: str, number: int) -> float:
    """Where a question comes: one that was given another place goes in front of what stands there, or behind it where
    it moves down."""
    if not (said.isascii() and said.isdecimal() and len(said) < 3):
        raise BadRequest("place of a field", say=f"第 {number} 项的顺序要写数字。")
    place = int(said)
    return place + (0.5 if place > number else -0.5 if place < number else 0)


async def _page(visit: Visit, sheet: FormSheet, words: FormWords, **more: Any) -> web.StreamResponse:
    spare = min(_SPARE, MOST_FIELDS - len(words.questions)) if words.questions else _SPARE + 2
    return visit.render(
        "service_form.html",
        title=f"申请表：{sheet.item.title}",
        sheet=sheet,
        words=words,
        spare=[FieldWords("", "文字")] * spare,
        kinds=list(TYPES),
        say_actor=say_actor,
        most=MOST_FIELDS,
        **({"bubbles": form_desk.preview(sheet.item.title, words) if words.questions else ()} | more),
    )


def _which(visit: Visit) -> int:
    return int(visit.request.match_info["item_id"])


@pages.get(_ONE, who=staff)
async def show(visit: Visit) -> web.StreamResponse:
    """What an item asks, as it is written and as it is asked."""
    sheet = await form_desk.read_form(visit.staff, _which(visit))
    return await _page(visit, sheet, sheet.words)


@pages.post(f"{_ONE}/preview", who=staff)
async def preview(visit: Visit) -> web.StreamResponse:
    """How residents would be asked. Nothing is kept."""
    words = (await visit.form(Written)).words
    sheet = await form_desk.read_form(visit.staff, _which(visit))
    bubbles = form_desk.preview(sheet.item.title, words)
    if visit.by_htmx:
        return visit.render("service_form_seen.html", bubbles=bubbles)
    return await _page(visit, sheet, words, bubbles=bubbles)


@pages.post(_ONE, who=staff)
async def change(visit: Visit) -> web.StreamResponse:
    """Who begins now is asked this; who has applied already keeps the form they had."""
    given, item_id = await visit.form(Written), _which(visit)
    version = await form_desk.save_form(visit.staff, item_id, given.seen, given.words, visit.now, visit.source)
    said = "居民现在就能在网上申请。" if given.active else "停用期间居民不能在网上申请。"
    return visit.go(f"{_ALL}/{item_id}", f"存好了，这是第 {version} 版。{said}")
