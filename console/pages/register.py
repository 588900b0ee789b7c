"""登记: what somebody tells by telephone or at the counter, and what staff find themselves, becomes a case."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BeforeValidator, Field

from console.frame import Form, Pages, Visit
from console.sent_files import media_of
from domain import case_choices, on_behalf, patrols
from domain.casebook import read_case
from domain.contacts import Contact
from domain.desk_choices import areas_to_choose, kinds_to_choose
from domain.notices import short
from domain.previews import Told, draft_of
from domain.room_words import clean
from errors import BadRequest, NotFound
from models.enums import Level

pages = Pages()

_Blank = BeforeValidator(lambda given: given or None)
AreaId = Annotated[Annotated[int, Field(ge=1, le=2**31 - 1)] | None, _Blank, Field(title="网格")]


class Where(Form):
    """Which area's grids are offered."""

    area: AreaId = None


class Report(Form):
    """What is reported, and by whom; without `name` staff found it themselves."""

    how: Literal["told", "found"] = "told"
    text: Annotated[str, Field(max_length=2000, title="是什么事"), BeforeValidator(lambda given: clean(str(given)))] = (
        ""
    )
    place: Annotated[str, Field(max_length=200, title="地点")] = ""
    category: Annotated[str, Field(max_length=64, title="类别")] = ""
    grid: AreaId = None
    name: Annotated[str, Field(max_length=32, title="怎么称呼")] = ""
    phone: Annotated[str, Field(pattern=r"^$|^1[3-9][0-9]{9}$|^0[0-9]{2,3}-?[0-9]{7,8}$", title="电话")] = ""
    agreed: bool = False

    @property
    def told(self) -> Told:
        """As a report is read."""
        return Told(self.text, self.category, self.place)


@pages.get("/register")
async def show(visit: Visit) -> web.StreamResponse:
    """The form."""
    asked = visit.query(Where)
    own = visit.post.level is Level.GRID
    grids = [] if own else await case_choices.grids_to_choose(visit.staff, asked.area)
    many = len(grids) > case_choices.MOST_GRIDS
    return visit.render(
        "case_register.html",
        title="登记",
        own=visit.post.area_name if own else "",
        grids=[] if many else grids,
        areas=await areas_to_choose(visit.staff, asked.area) if many or asked.area else [],
        area=asked.area,
        kinds=kinds_to_choose(),
    )


@pages.post("/register/alike", files=True)
async def alike(visit: Visit) -> web.StreamResponse:
    """What is known already of the same matter, while somebody types. The page sends the whole form, files too."""
    given = await visit.form(Report)
    found = []
    if given.text and (given.grid or visit.post.level is Level.GRID):
        home = await patrols.own_grid(visit.post, given.grid)
        found = list(await case_choices.known_already(visit.staff, draft_of(given.told, visit.source), home, visit.now))
    return visit.render("case_alike.html", found=found)


@pages.post("/register", files=True)
async def make(visit: Visit) -> web.StreamResponse:
    """代报, or 巡查上报."""
    given = await visit.form(Report)
    if not given.text:
        raise BadRequest("no words", say="请写一句是什么事、在哪里。")
    told = Told(given.text, given.category, given.place, media=await media_of(visit))
    draft = draft_of(told, visit.source)
    if given.how == "told":
        contact = Contact(given.name, given.phone)
        receipt = await on_behalf.report_for(
            visit.staff, contact, draft, visit.now, grid_id=given.grid, agreed=given.agreed
        )
    else:
        receipt = await patrols.patrol(visit.staff, draft, visit.now, grid_id=given.grid)
    number, holder = short(receipt.case.number), receipt.holder.label if receipt.holder else "社区"
    said = f"已交给{holder}，编号 {number}。" + ("请告诉对方，办好了会打电话。" if given.how == "told" else "")
    try:
        await read_case(visit.staff, receipt.case.id)
    except NotFound:
        return visit.go("/register", said)
    return visit.go(f"/cases/{receipt.case.id}", said)
