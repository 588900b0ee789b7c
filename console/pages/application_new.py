"""代办: an application filled in at the desk for somebody without WeChat, from the item's own form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from aiohttp import web
from pydantic import ConfigDict, Field

from console.frame import Form, Pages, Visit
from console.pages.households import keeps
from console.sent_files import uploads_of
from console.values import Behalf, MaybeIdent
from domain import applications
from domain.applications import Filled
from domain.consents import need
from domain.forms import Field as FormField
from domain.forms import FieldType, read_fields
from domain.household_desk import kept_grids
from models.enums import Purpose

pages = Pages()

_ANSWER = "answer-"
_MOST_ITEMS = 200


class Which(Form):
    """The item; blank = not chosen yet."""

    code: Annotated[str, Field(max_length=20, title="事项")] = ""


@pages.get("/applications/new", who=keeps)
async def ask(visit: Visit) -> web.StreamResponse:
    """An item, then its form."""
    code = visit.query(Which).code
    form, fields = None, list[FormField]()
    if code:
        _, form = await applications.find_form(visit.staff, code)
        fields = read_fields(form.fields_)
    return visit.render(
        "application_new.html",
        title="替居民申请",
        items=await applications.offered_items(visit.staff, _MOST_ITEMS),
        code=code,
        form=form,
        fields=fields,
        grids=await kept_grids(visit.staff),
    )


class FilledIn(Behalf):
    """For whom, and which form; the answers stand beside it under the names of their fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    code: Annotated[str, Field(min_length=1, max_length=20, title="事项")]
    version: Annotated[int, Field(ge=1, le=32767, title="版本")]
    grid_id: MaybeIdent = None


@pages.post("/applications/new", who=keeps, files=True)
async def hand_in(visit: Visit) -> web.StreamResponse:
    """Handed in; whoever decides is told."""
    given = await visit.form(FilledIn)
    await need(visit.staff, Purpose.SERVICE)
    fields = await applications.fields_of(visit.staff, given.code, given.version)
    answers = {field.key: await _answer(visit, field) for field in fields}
    filled = Filled(answers, given.other, given.grid_id, given.version)
    made = await applications.submit(visit.staff, given.code, filled, visit.now, visit.source)
    return visit.go(f"/applications/{made.id}", f"替{given.name}交上了，编号 {made.number}。")


async def _answer(visit: Visit, field: FormField) -> Any:
    """What the form has for it; whether it fits is for the domain to say."""
    name = f"{_ANSWER}{field.key}"
    if field.type is FieldType.PHOTO:
        return [str(one.id) for one in await uploads_of(visit, name)]
    given: Sequence[str] = [one for one in (await visit.request.post()).getall(name, []) if isinstance(one, str)]
    if field.type is FieldType.CHOICES:
        return list(given)
    said = given[-1].strip() if given else ""
    return {"是": True, "不是": False}.get(said) if field.type is FieldType.YES_NO else said
