"""Mass sends (群发) of text: to a list of people, to everybody, and what became of one.

WeChat knows our id of a mass send for a day: the same again is not sent twice but answered with the first one's number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.api import Repeat, WeChatApi
from bot.transport import unreachable
from errors import WeChatError

SEND_API, ALL_API, STATUS_API = (f"cgi-bin/message/mass/{name}" for name in ("send", "sendall", "get"))
_KNOWN = 45065


class MassSender:
    """The mass sends of one account. Methods raise what `WeChatApi` raises."""

    def __init__(self, api: WeChatApi) -> None:
        self._api = api

    async def send(self, openids: Sequence[str], text: str, client_id: str) -> str:
        """To 2 to 10,000 people; gives WeChat's number of it, under which its report comes; "" for one that
        WeChat knows already and does not name. `client_id`: 32 bytes."""
        return await self._take(SEND_API, {"touser": list(openids)}, text, client_id)

    async def send_all(self, text: str, client_id: str) -> str:
        """To every follower; it also shows in the account's history. Once a day, four times a month."""
        return await self._take(ALL_API, {"filter": {"is_to_all": True}}, text, client_id)

    async def status(self, msg_id: str) -> str:
        """SENDING, SEND_SUCCESS, SEND_FAIL or DELETE."""
        return str((await self._api.ask(STATUS_API, {"msg_id": msg_id}, Repeat.ALWAYS)).get("msg_status", ""))

    async def _take(self, path: str, to: dict[str, Any], text: str, client_id: str) -> str:
        body = {**to, "msgtype": "text", "text": {"content": text}, "clientmsgid": client_id}
        try:
            msg_id = (await self._api.ask(path, body, Repeat.NEVER)).get("msg_id")
        except WeChatError as error:
            if error.errcode != _KNOWN:
                raise
            return str(error.data.get("msg_id", ""))  # taken before; only its answer was lost
        if not msg_id:
            raise unreachable(path, "no msg_id in the answer", sent=True)
        return str(msg_id)
