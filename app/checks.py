"""The mini-program's content checks put together: who asks WeChat, at which address it sees a file, where its word
arrives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from app.settings import Settings
from bot.api import WeChatApi
from bot.content_check import ContentCheck, MediaResult
from bot.miniapp_push import MiniappPush
from domain.checking import MEDIA_WITHIN, File
from domain.screening import Asks
from jobs.checks import Checks, keep_result
from miniapp_api.files import file_address


def make_checks(settings: Settings, miniapp: WeChatApi | None, now: Callable[[], datetime]) -> Checks:
    """The worker's handler of CHECK jobs."""
    key, base = settings.signing_key(), settings.reached_at

    def address(file: File) -> str:
        until = int((now() + MEDIA_WITHIN).timestamp())
        return file_address(key, base, f"u{file.id.hex}", file.owner, until) if base else ""

    check = ContentCheck(miniapp) if miniapp and settings.checks_content else None
    return Checks(check, now=now, address=address, words_suffice=settings.unseen_visitors == "words")


def asks_wechat(settings: Settings) -> Asks:
    """Whether something said in public waits for WeChat's word."""
    wanted = settings.checks_content
    return lambda _kind, _text: wanted


def make_push(
    settings: Settings, wake: Callable[[], Awaitable[None]], now: Callable[[], datetime]
) -> MiniappPush | None:
    """The mini-program's message server; None while no token is set: nothing could be told from a forgery."""
    config = settings.miniapp()
    if config is None or not config.token:
        return None

    async def take(result: MediaResult) -> None:
        await keep_result(result, now())
        await wake()

    return MiniappPush(config, take, now=now)
