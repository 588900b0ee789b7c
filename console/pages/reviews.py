"""消息审核: unsure words and pictures, complaints and appeals, and what is decided about them."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from console.frame import Form, Pages, Visit
from console.pages.rooms import Maybe, decides, ways_to_show
from console.values import Ident
from domain import reviews
from models.enums import ReviewKind, ReviewOutcome

pages = Pages()

_SHOWN = 20
_KINDS = {
    ReviewKind.WORDS: "文字拿不准",
    ReviewKind.PLATFORM: "微信检查拿不准",
    ReviewKind.COMPLAINT: "有人投诉",
    ReviewKind.APPEAL: "申诉",
}
_OUTCOMES = {
    ReviewOutcome.OPEN: "等处理",
    ReviewOutcome.SHOWN: "显示",
    ReviewOutcome.HIDDEN: "不显示",
    ReviewOutcome.LIFTED: "解除禁言",
    ReviewOutcome.UPHELD: "继续禁言",
}


class Asked(Form):
    """What waits, or what was decided."""

    state: Literal["open", "decided"] = "open"
    before: Annotated[Ident | None, Maybe] = None


class Decision(Form):
    """Show it (or end the mute), or not; then `answer` says why."""

    keep: Annotated[bool, Field(title="决定")]
    answer: Annotated[str, Field(max_length=200, title="原因")] = ""


@pages.get("/reviews", who=decides)
async def show(visit: Visit) -> web.StreamResponse:
    """What waits for a decision, or what was decided, the newest first."""
    asked = visit.query(Asked)
    waiting = asked.state == "open"
    found = await reviews.list_reviews(visit.staff, waiting=waiting, before=asked.before, limit=_SHOWN)
    return visit.render(
        "reviews.html",
        title="消息审核",
        found=found,
        waiting=waiting,
        following=found[-1].id if len(found) == _SHOWN else None,
        kinds=_KINDS,
        outcomes=_OUTCOMES,
        **ways_to_show(visit),
    )


@pages.post("/reviews/{review_id:[1-9][0-9]{0,17}}", who=decides)
async def decide(visit: Visit) -> web.StreamResponse:
    """Decided; whom it concerns is told."""
    given, review_id = await visit.form(Decision), int(visit.request.match_info["review_id"])
    line = await reviews.decide(visit.staff, review_id, given.keep, given.answer, visit.now, visit.source)
    return visit.go("/reviews", f"已决定：{_OUTCOMES[line.outcome]}。已经告诉有关的人。")
