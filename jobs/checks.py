"""CHECK jobs of the outbox: ask WeChat about what waits in a room, and take in its late word on files.

Whatever goes wrong, nothing is shown for it: what passes soon is tried again for a few minutes, then staff look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from prometheus_client import Counter

from bot.content_check import VISITED_WITHIN, ContentCheck, Found, MediaResult, Suggest
from bot.outbox import Done, Job, TryLater, parked, sent
from bot.verdicts import Verdict, ruling
from domain.checking import File, Question, Word, leave_word, note_asked, question, take_media_word, take_word
from errors import LinliError, WeChatError

log = structlog.get_logger(__name__)

#: How long a message may wait for another try before staff get it, and how often what failed is tried.
PATIENCE, TRIES = timedelta(minutes=3), 3
#: How often the word on a file is tried whose question was not noted yet (it was noted, or never will be).
TRACE_TRIES = 4
#: What WeChat's check fetches at most, and what it can read (the page names no AMR, which phones record).
MOST_BYTES = 10 * 1024 * 1024
READABLE = frozenset({"image/jpeg", "image/png", "image/gif", "audio/mpeg", "audio/wav", "audio/mp4"})
#: Not seen within two hours, not known there, of another app.
_UNSEEN = frozenset({40003, 43104, 61010})

CHECKED = Counter("linli_content_checks_total", "Content checks by what and by outcome", ["what", "outcome"])
_WORDS = {Suggest.PASS: Word.PASS, Suggest.REVIEW: Word.DOUBT, Suggest.RISKY: Word.REFUSE}


@dataclass(frozen=True, slots=True)
class _Said:
    """What was found, and why in words for sender and staff."""

    word: Word
    why: str = ""


#: What becomes of a message with a file that was asked about before; None: WeChat still looks.
_KNOWN: Mapping[str, _Said | None] = {
    "passed": _Said(Word.PASS),
    "refused": _Said(Word.REFUSE, "照片或语音没有通过检查"),
    "checking": None,
}


class UnseenVisitor(Exception):
    """Its sender was not in the mini-program for two hours: WeChat does not check what they say."""


class Checks:
    """The outbox's handler. `check` is None without a mini-program; `address` gives the public address at which WeChat
    fetches a file, "" where it cannot; `words_suffice`: our own word lists alone decide where WeChat does not check."""

    def __init__(
        self,
        check: ContentCheck | None,
        *,
        now: Callable[[], datetime],
        address: Callable[[File], str],
        words_suffice: bool = False,
    ) -> None:
        self._check = check
        self._now = now
        self._address = address
        self._words_suffice = words_suffice

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Each in turn; the messages of one sender keep their order."""
        for job in jobs:
            if "trace" in job.payload:
                end(job, await self._late_word(job))
            else:
                await self._ask(job)
                end(job, sent("check"))

    async def _late_word(self, job: Job) -> Done:
        result = job.payload
        said = _of(Found(Suggest(result["suggest"]), result["label"]) if result["suggest"] is not None else None)
        if await take_media_word(str(result["trace"]), said.word, said.why, self._now()):
            CHECKED.labels("media", said.word.name.lower()).inc()
            return sent("check")
        if job.tries + 1 < TRACE_TRIES:
            raise TryLater("检查结果早于提问的记录")
        return parked("没有找到这次检查问的是哪个文件")

    async def _ask(self, job: Job) -> None:
        asked = await question(int(job.payload["message"]))
        if asked is None:
            return
        try:
            said = await self._judge(asked)
        except UnseenVisitor:
            said = self._unseen(asked)
        except LinliError as error:
            said = self._failed(job, asked, error)
        if said is not None:
            CHECKED.labels("message", said.word.name.lower()).inc()
            await take_word(asked.message_id, said.word, said.why, self._now(), f"job:{job.id}")

    async def _judge(self, asked: Question) -> _Said | None:
        """What becomes of a message; None while WeChat looks at its file."""
        if self._check is None:
            return _Said(Word.DOUBT, "内容检查没有开通")
        said = _Said(Word.PASS)
        if asked.text:
            said = _of(await self._check.text(self._visitor(asked), asked.text))
        if said.word is not Word.PASS or asked.file is None:
            return said
        return await self._judge_file(self._check, asked, asked.file)

    def _visitor(self, asked: Question) -> str:
        """Their openid. Raises UnseenVisitor for who is not there or was not lately: WeChat would refuse (61010)."""
        if not asked.openid or asked.seen_at is None or asked.sent_at - asked.seen_at > VISITED_WITHIN:
            raise UnseenVisitor
        return asked.openid

    async def _judge_file(self, check: ContentCheck, asked: Question, file: File) -> _Said | None:
        if file.state != "new":
            return _KNOWN[file.state]
        address = self._address(file)
        if not address or file.size > MOST_BYTES or file.content_type not in READABLE:
            return _Said(Word.DOUBT, "照片或语音要由工作人员看过")
        kind: Literal["image", "voice"] = "image" if file.kind == "image" else "voice"
        await note_asked(file, await check.media(self._visitor(asked), address, kind))
        return None

    def _unseen(self, asked: Question) -> _Said:
        if self._words_suffice and asked.file is None:
            return _Said(Word.PASS)
        return _Said(Word.DOUBT, "发送人最近没有打开小程序，微信不做检查")

    def _failed(self, job: Job, asked: Question, error: LinliError) -> _Said:
        """Staff get what cannot be checked. Raises TryLater while trying again may help and TRIES and PATIENCE last."""
        if isinstance(error, WeChatError) and error.errcode in _UNSEEN:
            return self._unseen(asked)
        seen = ruling(error)
        pause = timedelta(seconds=seen.retry_after or 0)
        waited = self._now() - job.created_at
        if seen.verdict is Verdict.RETRY_LATER and waited + pause < PATIENCE and job.tries + 1 < TRIES:
            raise TryLater(seen.reason, pause or None)
        log.warning("content not checked", job=job.id, reason=seen.reason)
        return _Said(Word.DOUBT, f"微信检查没有成功：{seen.reason}"[:200])


def _of(found: Found | None) -> _Said:
    if found is None:
        return _Said(Word.DOUBT, "微信没有看到这个文件")
    if found.suggest is Suggest.PASS:
        return _Said(Word.PASS)
    doubt = "微信检查拿不准" if found.suggest is Suggest.REVIEW else "没有通过微信内容检查"
    return _Said(_WORDS[found.suggest], f"{doubt}：{found.label}" if found.label else doubt)


async def keep_result(result: MediaResult, now: datetime) -> None:
    """Leave a result the mini-program was pushed to the workers: acknowledged means committed."""
    found = result.found
    await leave_word(result.trace_id, int(found.suggest) if found else None, found.label if found else "", now)
