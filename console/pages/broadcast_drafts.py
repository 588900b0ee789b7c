"""Writing a broadcast: a form, beside it how it looks on a phone, whom it would reach and what WeChat still takes."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from console.audience_form import Audience, Code, Rule, choices_of, fields_of, rule_of, writers
from console.frame import Form, Pages, Visit
from domain import audience_previews, broadcast_desk, broadcasts, quotas, services
from domain.audience_pages import Via
from domain.broadcast_calendar import NAMES as DAYS
from domain.broadcast_calendar import check_calendar, say_calendar
from domain.broadcast_notices import CHANNEL_NAMES
from domain.broadcasts import MOST_TEXT, MOST_TITLE, Broadcast, Draft
from domain.clock import SHANGHAI
from domain.opt_outs import SAFETY, TOPICS
from domain.services import ServiceItem
from errors import BadRequest, NotAllowed
from models.enums import Channel

pages = Pages()

_MOST_ITEMS = 200
_VIA = {Via.WECHAT: "本人微信", Via.FAMILY: "家人微信转告", Via.HAND: "网格员上门或打电话"}
Number = Annotated[str, Field(pattern=r"^\d{0,3}$", title="提醒日期")]


class Compose(Audience):
    """What the form brings. Lengths and rules are the domain's to judge: its sentences say what to do."""

    title: Annotated[str, Field(max_length=200, title="标题")] = ""
    text: Annotated[str, Field(max_length=4000, title="正文")] = ""
    link: Annotated[str, Field(max_length=300, title="网址")] = ""
    item_code: Annotated[str, Field(max_length=20, title="办事指南")] = ""
    topic: Annotated[str, Field(max_length=24, title="主题")] = "notice"
    channels: Annotated[tuple[Channel, ...], Field(max_length=3, title="发送方式")] = ()
    urgent: bool = False
    when: Annotated[str, Field(pattern="^(now|at|days)$", title="什么时候发")] = "now"
    at: Annotated[str, Field(max_length=32, title="发送时间")] = ""
    days: Annotated[tuple[Code, ...], Field(max_length=10, title="日子")] = ()
    time: Annotated[str, Field(max_length=8, title="几点")] = ""
    until: Annotated[str, Field(max_length=16, title="截止日期")] = ""
    event_from: Annotated[str, Field(max_length=64, title="人生大事")] = ""
    event_years: Number = ""
    event_days_before: Number = ""
    event_every: Number = ""
    event_month_day: Annotated[str, Field(max_length=5, title="几月几日")] = ""
    area_code: Annotated[str, Field(max_length=20, title="范围")] = ""
    editing: Annotated[int, Field(ge=0, le=2**63 - 1, title="通知")] = 0

    @property
    def path(self) -> str:
        """Where it is sent to."""
        return f"/broadcasts/{self.editing}/edit" if self.editing else "/broadcasts/new"

    def calendar(self) -> dict[str, Any]:
        """When it goes out, as the domain has it."""
        if self.when == "now":
            return {}
        if self.when == "at":
            if not self.at:
                raise BadRequest("at", say="请选几月几日几点发。")
            return {"at": self.at}
        if not self.days:
            raise BadRequest("days", say="请至少选一个日子，比如每周一、工作日。")
        return {"days": self.days, "time": self.time or "09:00", "until": self.until}

    def event(self) -> dict[str, Any] | None:
        """The day in people's lives that it is about; None where it has nothing to do with one."""
        if not self.event_from:
            return None
        numbers = {"years": self.event_years, "days_before": self.event_days_before, "every": self.event_every}
        found: dict[str, Any] = {"from": self.event_from}
        found |= {name: int(text) for name, text in numbers.items() if text}
        return found | ({"month_day": self.event_month_day} if self.event_month_day else {})

    def as_draft(self, otherwise: Rule) -> Draft:
        """As the domain takes it."""
        return Draft(
            self.title,
            self.text,
            rule_of(self, otherwise),
            topic=self.topic,
            channels=self.channels,
            link=self.link,
            item_code=self.item_code,
            urgent=self.urgent,
            event=self.event(),
            calendar=self.calendar(),
            area_code=self.area_code,
        )


async def _everybody(visit: Visit) -> Rule:
    """The rule where nothing was chosen: the whole of one's own area."""
    own = (await broadcast_desk.places(visit.post, 1)).all
    return {"area": [own[0].code]}


async def _page(visit: Visit, given: Compose, **more: Any) -> web.StreamResponse:
    return visit.render(
        "broadcast_form.html",
        title="改通知" if given.editing else "写一条通知",
        given=given,
        choices=await choices_of(visit.post),
        guides=await _guides(visit),
        topics=TOPICS | {SAFETY: "安全预警（不能退订）"},
        channels=CHANNEL_NAMES,
        days=DAYS,
        most=(MOST_TITLE, MOST_TEXT),
        now=visit.now.astimezone(SHANGHAI),
        **({"seen": None} | more),
    )


async def _guides(visit: Visit) -> list[tuple[str, list[ServiceItem]]]:
    """The directory's items by the name of their class, in its order."""
    items = await services.list_items(visit.staff, limit=_MOST_ITEMS)
    return [(name, list(some)) for name, some in groupby(items, key=lambda item: item.service_class.name)]


class Like(Form):
    """After which one it is written."""

    like: Annotated[int, Field(ge=0, le=2**63 - 1, title="样子")] = 0


@pages.get("/broadcasts/new", who=writers)
async def write(visit: Visit) -> web.StreamResponse:
    """An empty form, or one filled in as another broadcast was."""
    like = visit.query(Like).like
    given = (
        _fields(await broadcasts.find(visit.staff, like), again=True) if like else Compose(channels=(Channel.NOTICE,))
    )
    return await _page(visit, given)


@pages.post("/broadcasts/new", who=writers)
async def create(visit: Visit) -> web.StreamResponse:
    """A draft."""
    draft = (await visit.form(Compose)).as_draft(await _everybody(visit))
    made = await broadcasts.create(visit.staff, draft, visit.now, visit.source)
    return visit.go(f"/broadcasts/{made.id}", "草稿存好了，核对后提交审批。还没有发给任何人。")


@pages.get(r"/broadcasts/{broadcast:\d+}/edit", who=writers)
async def edit(visit: Visit) -> web.StreamResponse:
    """What it says, to be changed by its author."""
    found = await broadcasts.find(visit.staff, _ident(visit))
    if "change" not in broadcast_desk.steps(visit.post, found):
        raise NotAllowed("change", say="这条通知现在不能改。要发别的，请照着它另写一条。")
    places = await broadcast_desk.places(visit.post, also=found.area_id)
    code = next((one.code for one in places.all if one.id == found.area_id and one.depth), "")
    given = _fields(found).model_copy(update={"area_code": code, "editing": found.id})
    return await _page(visit, given)


@pages.post(r"/broadcasts/{broadcast:\d+}/edit", who=writers)
async def change(visit: Visit) -> web.StreamResponse:
    """A new version, which must be approved again."""
    draft = (await visit.form(Compose)).as_draft(await _everybody(visit))
    await broadcasts.change(visit.staff, _ident(visit), draft, visit.now, visit.source)
    return visit.go(f"/broadcasts/{_ident(visit)}", "改好了，要重新提交审批。")


def _fields(found: Broadcast, *, again: bool = False) -> Compose:
    """The form that says what a broadcast says; `again`: its time is over and left out."""
    draft = broadcasts.as_draft(found, found.item.code if found.item else "")
    calendar, event = draft.calendar, draft.event or {}
    fields: dict[str, Any] = {
        "title": draft.title,
        "text": draft.text,
        "link": draft.link,
        "item_code": draft.item_code,
        "topic": draft.topic,
        "channels": list(draft.channels),
        "urgent": draft.urgent,
        "event_from": event.get("from", ""),
        "event_month_day": event.get("month_day", ""),
    } | {f"event_{name}": str(event[name]) for name in ("years", "days_before", "every") if name in event}
    if "days" in calendar:
        fields |= {"when": "days", "days": calendar["days"], "time": calendar["time"]}
        fields |= {"until": calendar.get("until", "")}
    elif "at" in calendar and not again:
        local = datetime.fromisoformat(calendar["at"]).astimezone(SHANGHAI)
        fields |= {"when": "at", "at": f"{local:%Y-%m-%dT%H:%M}"}
    return Compose(**fields | fields_of(dict(draft.audience)))


@pages.post("/broadcasts/preview", who=writers)
async def preview(visit: Visit) -> web.StreamResponse:
    """How it would look on a phone, whom it would reach, what WeChat still takes. Nothing is kept."""
    given = await visit.form(Compose)
    draft = given.as_draft(await _everybody(visit))
    found = await audience_previews.preview(
        visit.staff, dict(draft.audience), visit.now, visit.source, topic=draft.topic, event=draft.event
    )
    seen = {
        "draft": draft,
        "found": found,
        "via": _VIA,
        "when": say_calendar(check_calendar(draft.calendar, visit.now), visit.now, urgent=draft.urgent),
        "quotas": [(quotas.NAMES[one.way], one) for one in await quotas.quotas(visit.staff, visit.now)],
        "names": [CHANNEL_NAMES[channel] for channel in draft.channels],
    }
    if visit.by_htmx:
        return visit.render("broadcast_seen.html", seen=seen)
    return await _page(visit, given, seen=seen)


@pages.get("/quotas", who=writers)
async def left(visit: Visit) -> web.StreamResponse:
    """额度: what WeChat still takes today and this month."""
    found = await quotas.quotas(visit.staff, visit.now)
    return visit.render("quotas.html", title="微信额度", quotas=[(quotas.NAMES[one.way], one) for one in found])


def _ident(visit: Visit) -> int:
    return int(visit.request.match_info["broadcast"][:18])
