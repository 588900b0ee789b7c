"""巡查上报: what staff find on their round becomes a case of nobody's; small things are put right on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.casework import dispose
from domain.people import Home, Person, Post, ancestors, home_of_grid
from domain.reports import Draft, Media, Receipt, report
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import transaction
from models.enums import Level, Source


@dataclass(frozen=True, slots=True)
class Done:
    """What was done at once (即时办结), and the photos that show it."""

    result: str = ""
    photos: Sequence[Media] = ()


def need_post(person: Person, tag: str) -> Post:
    """Their post. Raises NotAllowed for a resident."""
    if person.post is None:
        raise NotAllowed(f"{tag} of a resident", say="这是工作人员用的。要反映问题请用“我要说事”。", tag=tag)
    return person.post


async def own_grid(post: Post, grid_id: int | None) -> Home:
    """The grid something is about: the one named, or a grid worker's own. Raises NotFound for one that is not below
    their area, BadRequest where none is named and they have no grid of their own."""
    if grid_id is None and post.level is not Level.GRID:
        raise BadRequest("which grid", say="请选是哪个网格的事。")
    home = await home_of_grid(grid_id or post.area_id)
    if post.area_id not in await ancestors(home.grid_id):
        raise NotFound(f"grid {grid_id}", say="这个网格不归您管，请重新选。", tag="area:read", object_id=home.grid_id)
    return home


async def finder(person: Person, grid_id: int | None) -> Person:
    """A member of staff as who finds something in a grid: not the resident they may be besides, who would be asked
    whether it is solved. Raises as `own_grid`."""
    post = need_post(person, "case:patrol")
    return Person("", 0, await own_grid(post, grid_id), post)


async def patrol(
    person: Person, draft: Draft, now: datetime, *, grid_id: int | None = None, done: Done | None = None
) -> Receipt:
    """Report what was found. With `done` it is signed and disposed of in the same step, where it is this person's own
    duty: Conflict otherwise, and nothing is kept. Who looks at the result is somebody else."""
    post, found_by = need_post(person, "case:patrol"), await finder(person, grid_id)
    async with transaction():
        receipt = await report(found_by, replace(draft, source=Source.PATROL, filed_by=post), now)
        if done is None:
            return receipt
        if receipt.holder is None or receipt.holder.id != post.id:
            whose = receipt.holder.label if receipt.holder else "社区"
            raise Conflict("not theirs to do", say=f"这类事归{whose}办，不能当场办结。请不填结果，只上报。")
        case = await dispose(found_by, receipt.case.id, done.result, now, media=done.photos, source=draft.via)
        return replace(receipt, case=case)
