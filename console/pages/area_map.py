"""地图: the open cases of an area where they lie, coloured and shaped by how they stand with their time."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from console.figures import MaybeArea
from console.frame import ROOT, Form, Pages, Visit
from console.ground import draw_ground, draw_squares
from console.schematic import Backdrop
from domain.case_map import MOST, Box, Pace, Wanted, read_ground
from domain.desk_choices import kinds_to_choose

pages = Pages()

PACES = {Pace.OVERDUE: "超时", Pace.URGENT: "紧急", Pace.TODAY: "今天到期", Pace.CALM: "没到期"}
_DEGREES = r"-?\d{1,3}(\.\d{1,8})?"


class Query(Form):
    """Which cases; `box` is a part of the map: west, south, east, north."""

    area: MaybeArea = None
    kind: Annotated[str, Field(max_length=64, title="类别")] = ""
    pace: Annotated[Literal["", "overdue", "urgent", "today", "calm"], Field(title="时限")] = ""
    box: Annotated[str, Field(pattern=rf"^({_DEGREES}(,{_DEGREES}){{3}})?$", title="地图范围")] = ""

    @property
    def part(self) -> Box | None:
        """The part of the map."""
        return Box(*map(float, self.box.split(","))) if self.box else None

    def wanted(self) -> Wanted:
        """As the domain takes it."""
        return Wanted(self.area, self.kind or None, Pace(self.pace) if self.pace else None, self.part)

    def address(self, **other: Any) -> str:
        """The same map with something changed; the part of it goes with every change but its own."""
        values = self.model_dump(mode="json") | {"box": ""} | other
        given = {name: value for name, value in values.items() if value}
        return f"{ROOT}/map?{urlencode(given)}" if given else f"{ROOT}/map"

    def into(self, box: Box) -> str:
        """That part of it."""
        sides = box.west, box.south, box.east, box.north
        return self.address(box=",".join(f"{side:.6f}" for side in sides))


@pages.get("/map")
async def show(visit: Visit) -> web.StreamResponse:
    """The map, and beside it the same as a list."""
    query = visit.query(Query)
    ground = await read_ground(visit.staff, query.wanted(), visit.now)
    backdrop = Backdrop(visit.office.map_tiles, visit.office.map_datum)
    drawing = draw_ground(ground, query.part, backdrop)
    return visit.render(
        "area_map.html",
        title=f"地图 · {ground.view.area.name}",
        query=query,
        ground=ground,
        drawing=drawing,
        squares=None if drawing else draw_squares(ground),
        paces=PACES,
        groups=kinds_to_choose(),
        most=MOST,
    )
