"""The delivery ladder: customer-service message → subscription notice → template message → visibly not delivered.

The quota of customer-service messages is no counter of ours: it is derived from when the person last wrote or tapped
(the conversation row) and what they were sent since (the outbox), so that it cannot drift. Notices that wait for one
person are merged into one message, because WeChat counts messages, not words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Counter

from bot import consents
from bot.api import CustomImage, CustomMenu, CustomMessage, CustomText, Notice, WeChatApi
from bot.config import TemplateConfig, WeChatConfig
from bot.fields import fill
from bot.messages import Choice, Reply
from bot.notice_kinds import CASE
from bot.once import UNSURE, Calls, is_once
from bot.outbox import Done, Job, TryLater, parked, sent
from bot.replies import plain, render
from bot.verdicts import Ruling, Verdict, ruling
from errors import BadRequest, LinliError
from models.database import fetch
from models.enums import OutboxState

log = structlog.get_logger(__name__)

#: After a message of the person: five within 48 hours; after a tap, scan or follow: three within a minute
#: (wechat.md §2.1). A little less time, because the request takes some.
MESSAGE_QUOTA, MESSAGE_WINDOW = 5, timedelta(hours=47, minutes=59)
CLICK_QUOTA, CLICK_WINDOW = 3, timedelta(seconds=50)
_TEXT_LIMIT = 2048
#: Before the openid of whoever has the mini-program alone: their list of notices is where they are told.
_IN_APP = "mini:"
_MERGE = 6  # notices in one message; more than that nobody reads on a phone
_NO_CONSENT = 43101
#: The template's fault, not the person's: another one may do.
_WRONG_TEMPLATE = frozenset({40037, 47003})
_OURS = "upload:"  # before the path of a picture that WeChat has not seen yet; see domain.uploads
_DRAWN = "drawn:"  # before the name of a picture that is drawn when it is sent; see domain.drawn

DELIVERED = Counter("linli_notices_total", "Notices by the rung that took them, or undelivered", ["rung"])

_QUOTA = """
SELECT c.last_message_at, c.last_click_at,
    (SELECT coalesce(sum(used), 0) FROM outbox o WHERE o.recipient = $1 AND o.channel = 'service'
        AND o.finished_at >= c.last_message_at)::int AS since_message,
    (SELECT coalesce(sum(used), 0) FROM outbox o WHERE o.recipient = $1 AND o.channel = 'service'
        AND o.finished_at >= c.last_click_at)::int AS since_click
FROM conversation c WHERE c.openid = $1
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """Service messages left to one person right now."""

    left: int
    reason: str


async def service_quota(openid: str, now: datetime) -> Quota:
    """How many customer-service messages WeChat would still take, and why there are none."""
    rows = await fetch(_QUOTA, openid)
    if not rows:
        return Quota(0, "对方还没有和公众号说过话")
    row = rows[0]
    left = 0
    if row["last_message_at"] and now - row["last_message_at"] < MESSAGE_WINDOW:
        left = MESSAGE_QUOTA - row["since_message"]
    if row["last_click_at"] and now - row["last_click_at"] < CLICK_WINDOW:
        # Quotas are separate per trigger; what was sent since both is counted on both, so the larger rest is true.
        left = max(left, CLICK_QUOTA - row["since_click"])
    open_window = bool(row["last_message_at"] and now - row["last_message_at"] < MESSAGE_WINDOW)
    reason = "对方互动后的 5 条客服消息已用完" if open_window else "对方超过 48 小时没有互动"
    return Quota(max(0, left), reason)


#: Makes the PNG with this name; raises LinliError where there is none (any more).
Draw = Callable[[str], Awaitable[bytes]]


class Ladder:
    """The outbox's handler of NOTICE jobs. `media`: the folder of pictures that were sent to us itself; `draw` makes
    those that are drawn when they are sent."""

    def __init__(
        self, api: WeChatApi, config: WeChatConfig, media: Path, *, now: Callable[[], datetime], draw: Draw
    ) -> None:
        self._api = api
        self._config = config
        self._media = media
        self._now = now
        self._draw = draw
        self._calls = Calls(now)

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """All claimed notices of one recipient, in order; raises TryLater when the rest must wait."""
        if jobs[0].recipient.startswith(_IN_APP):
            for job in jobs:
                end(job, sent("miniapp"))
            DELIVERED.labels("miniapp").inc(len(jobs))
            return
        rest = [job for job in jobs if not await self._was_called(job, end)]
        while rest:
            quota = await service_quota(rest[0].recipient, self._now())
            part = _mergeable(rest)
            refused = await self._by_service(part, quota, end)
            if refused is not None:
                for job in part:
                    await self._by_template(job, refused, end)
            rest = rest[len(part) :]

    async def _was_called(self, job: Job, end: Callable[[Job, Done], None]) -> bool:
        """What goes out once and may have gone out already: repeated where WeChat dedupes it, else ended."""
        if job.called_at is None:
            return False
        kind = str(job.payload.get("kind", CASE))
        notice, _ = await self._fill("template", job, _of_kind(self._config.templates, kind))
        if notice is None or not self._calls.may_repeat(job):
            end(job, UNSURE)
        elif (reason := await self._rung("template", notice, job, (), end)) is not None:
            end(job, Done(OutboxState.UNDELIVERED, error=reason))
        return True

    async def _by_service(self, part: Sequence[Job], quota: Quota, end: Callable[[Job, Done], None]) -> str | None:
        """Send the part as one message. None = sent; else why this rung does not reach the person."""
        if quota.left < 1:
            return quota.reason
        openid = part[0].recipient
        if not await self._calls.begin(part, "service"):
            raise TryLater("别的进程已经接手")
        used = await self._pictures(openid, part, quota.left - 1)
        try:
            await self._api.send_custom(openid, _message(part))
        except LinliError as error:
            seen = await self._judge(error, part, end)
            if seen.verdict is Verdict.NEXT_RUNG:
                return seen.reason
            _park(part, seen, end)
            return None
        for place, job in enumerate(part):
            end(job, Done(OutboxState.SENT, "service", used + 1 if place == 0 else 0))
        DELIVERED.labels("service").inc(len(part))
        return None

    async def _pictures(self, openid: str, part: Sequence[Job], room: int) -> int:
        """Photos go before their text while the quota has room; a lost photo never holds up the text."""
        used = 0
        for image in [image for job in part for image in job.payload.get("images", ())][: max(0, room)]:
            try:
                await self._api.send_custom(openid, CustomImage(await self._media_id(image)))
                used += 1
            except LinliError as error:
                log.info("picture not sent", reason=ruling(error).reason)
                break
            except OSError as error:
                log.warning("picture not read", image=image, reason=str(error))
                break
        return used

    async def _media_id(self, image: str) -> str:
        """WeChat's name of a picture; one that came to us by another way is handed to WeChat first, for three days."""
        if image.startswith(_DRAWN):
            picture = await self._draw(image.removeprefix(_DRAWN))
            return await self._api.upload_media("image", "picture.png", picture, "image/png")
        if not image.startswith(_OURS):
            return image
        path = (self._media / image.removeprefix(_OURS)).resolve()
        if not path.is_relative_to(self._media.resolve()):
            raise FileNotFoundError(f"{image} is not below the media folder")
        return await self._api.upload_media("image", path.name, path.read_bytes(), "image/jpeg")

    async def _by_template(self, job: Job, refused: str, end: Callable[[Job, Done], None]) -> None:
        reasons = [refused]
        kind = str(job.payload.get("kind", CASE))
        for rung, templates in (("subscription", self._config.subscriptions), ("template", self._config.templates)):
            notice, why = await self._fill(rung, job, _of_kind(templates, kind))
            reason = why if notice is None else await self._rung(rung, notice, job, reasons, end)
            if reason is None:
                return
            if reason:
                reasons.append(reason)
        end(job, Done(OutboxState.UNDELIVERED, error=_why(reasons)))
        DELIVERED.labels("undelivered").inc()

    async def _fill(self, rung: str, job: Job, templates: Sequence[TemplateConfig]) -> tuple[Notice | None, str]:
        """The notice by the first template that can carry it to this person; else why none can ("" = none is set)."""
        values: Mapping[str, str] = job.payload.get("fields") or {}
        reason = "" if values or not templates else "这条通知没有模板"
        for template in templates if values else ():
            if rung == "subscription" and not await consents.remaining(job.recipient, template.template_id):
                reason = "对方没有同意订阅通知"
                continue
            try:
                return Notice(template.template_id, fill(template, values)), ""
            except BadRequest as error:
                reason = f"模板字段不合适：{error.detail}"
        return None, reason

    async def _rung(
        self, rung: str, notice: Notice, job: Job, reasons: Sequence[str], end: Callable[[Job, Done], None]
    ) -> str | None:
        """Try one template rung. None = the job has ended; else why it does not reach the person. `reasons`: why those
        before it did not; they stay with the job."""
        if not await self._calls.begin([job], rung):
            raise TryLater("别的进程已经接手")
        try:
            reference = await self._send(rung, job, notice)
        except LinliError as error:
            seen = await self._judge(error, [job], end, deduped=rung == "template")
            errcode = getattr(error, "errcode", 0)
            if rung == "subscription" and errcode == _NO_CONSENT:
                await consents.spend(job.recipient, notice.template_id, all_left=True)
            if seen.verdict is Verdict.NEXT_RUNG or (rung == "subscription" and errcode in _WRONG_TEMPLATE):
                return seen.reason
            _park([job], seen, end)
            return None
        end(job, Done(OutboxState.SENT, rung, reference=reference, error=_why(reasons)))
        DELIVERED.labels(rung).inc()
        return None

    async def _send(self, rung: str, job: Job, notice: Notice) -> str:
        if rung == "template":
            return str(await self._api.send_template(job.recipient, notice, client_msg_id=f"linli-{job.id}"))
        await self._api.send_subscription(job.recipient, notice)
        await consents.spend(job.recipient, notice.template_id)
        return ""

    async def _judge(
        self, error: LinliError, part: Sequence[Job], end: Callable[[Job, Done], None], *, deduped: bool = False
    ) -> Ruling:
        """The ruling of an error; what passes by itself goes back to the queue, but what goes out once and may have
        gone out: that ends here, unless WeChat would dedupe it."""
        seen = ruling(error)
        if not seen.maybe_sent:
            await self._calls.undo(part)
        if seen.verdict is not Verdict.RETRY_LATER:
            return seen
        if seen.maybe_sent and not deduped:
            for job in filter(is_once, part):
                end(job, UNSURE)
        raise TryLater(seen.reason, timedelta(seconds=seen.retry_after) if seen.retry_after else None) from error


def _of_kind(templates: Mapping[str, TemplateConfig], kind: str) -> list[TemplateConfig]:
    """The kind's own template, then that of cases, whose values every notice carries."""
    found = (templates.get(kind), templates.get(CASE) if kind != CASE else None)
    return [template for template in found if template]


def _why(reasons: Sequence[str]) -> str:
    """Why a person was not reached by the rungs above, for staff."""
    return "；".join(dict.fromkeys(reasons))


def _park(part: Sequence[Job], seen: Ruling, end: Callable[[Job, Done], None]) -> None:
    for job in part:
        end(job, parked(seen.reason))
    DELIVERED.labels("parked").inc(len(part))


def _text(payload: Mapping[str, Any]) -> str:
    text = str(payload["text"])
    if payload.get("rendered"):
        return text  # a passive reply that came too late: its links are made already
    return render(Reply(plain(text), _choices(payload)))


def _choices(payload: Mapping[str, Any]) -> tuple[Choice, ...]:
    return tuple(Choice(str(label), int(tap)) for label, tap in payload.get("choices", ()))


def _mergeable(jobs: Sequence[Job]) -> list[Job]:
    """As many of the first jobs as fit into one message."""
    part, size = [jobs[0]], len(_text(jobs[0].payload).encode())
    for job in jobs[1:_MERGE]:
        size += len(_text(job.payload).encode()) + 2
        if size > _TEXT_LIMIT:
            break
        part.append(job)
    return part


def _message(part: Sequence[Job]) -> CustomMessage:
    """One notice with choices is a menu message; several are one text with their choices as links."""
    payload = part[0].payload
    if len(part) == 1 and not payload.get("rendered") and (choices := _choices(payload)):
        return CustomMenu(plain(str(payload["text"])), choices)
    return CustomText("\n\n".join(_text(job.payload) for job in part))
