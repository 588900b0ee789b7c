"""The one error tree of Linli.

Every error has a `code` for machines, an HTTP status, and a Chinese sentence `say` that tells the person what to do
next and holds wherever they are: in the chat, at a desk, in the mini-program. `chat` is what only somebody can do who
writes to the account, in the words to write (“回复…”). Whoever turns errors into answers says one or both: the bot's
dispatcher, the API's middleware, the console's. `detail` is for the log only.
"""

from __future__ import annotations

from typing import Any, ClassVar


class LinliError(Exception):
    """Something that must be told to somebody. Subclasses fix code, status and the default sentences."""

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    default_say: ClassVar[str] = "系统刚才没处理好，请过一会儿再试。急事请直接打社区电话。"
    default_chat: ClassVar[str] = ""

    def __init__(self, detail: str = "", *, say: str = "", chat: str = "", **data: Any) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.say = say or self.default_say
        self.chat = chat or ("" if say else self.default_chat)
        self.data = data

    @property
    def in_chat(self) -> str:
        """The whole sentence for somebody who writes to the account."""
        return f"{self.say}{self.chat}"


class SettingsError(LinliError):
    """A setting is missing or wrong; `detail` names it and how to mend it."""

    code = "settings"


class BadRequest(LinliError):
    """What was sent cannot be understood or is not allowed in this form."""

    code = "bad_request"
    http_status = 400
    default_say = "没看明白，请换个说法再试一次。"
    default_chat = "要找网格员，请回复“人工”。"


class BadMessage(BadRequest):
    """A callback body that is not a WeChat message: broken XML, broken cipher text, other app id."""

    code = "bad_message"


class BadSignature(BadRequest):
    """The callback was not signed with our token."""

    code = "bad_signature"
    http_status = 403


class StaleTimestamp(BadSignature):
    """The callback was signed too long ago, or in the future: a replay, or a wrong clock."""

    code = "stale_timestamp"


class TooLarge(BadRequest):
    """More bytes than the endpoint takes."""

    code = "too_large"
    http_status = 413


class NotSignedIn(LinliError):
    """No token, or one that is unknown, expired or ended."""

    code = "not_signed_in"
    http_status = 401
    default_say = "请先登录，再试一次。"


class NotAllowed(LinliError):
    """The person may not do this; nothing was changed."""

    code = "not_allowed"
    http_status = 403
    default_say = "您没有办理这件事的权限，请找负责这件事的人。"
    default_chat = "需要帮助请回复“人工”。"


class ConsentNeeded(NotAllowed):
    """The person has not agreed to what this needs: `data["purpose"]`, or "age" = they were not asked that yet."""

    code = "consent_needed"
    default_say = "这一步要先征得您同意。请先看说明，再决定同不同意。"
    default_chat = ""


class NotFound(LinliError):
    """It does not exist, or it is not for this person to know that it does."""

    code = "not_found"
    http_status = 404
    default_say = "没有找到，或者不归您看。请核对编号。"
    default_chat = "看您反映过的事，回复“我的事项”。"


class Conflict(LinliError):
    """Somebody was faster, or the case is in a status that does not allow this step."""

    code = "conflict"
    http_status = 409
    default_say = "这件事刚刚有变化，请看看最新情况再做。"
    default_chat = "看最新情况，回复“待办”。"


class Unavailable(LinliError):
    """Not now: an engine is away or a limit is reached; `data["retry_after"]` (seconds) says when."""

    code = "unavailable"
    http_status = 503
    default_say = "现在人多，请过一分钟再试。"


class TooMany(LinliError):
    """More often than this client may; `data["retry_after"]` (seconds) says when it may again."""

    code = "too_many"
    http_status = 429
    default_say = "请求太频繁了，请过一会儿再试。"


class Unprocessable(BadRequest):
    """Understood, but it names what we have no meaning for: a category or status without a mapping."""

    code = "unprocessable"
    http_status = 422


class WeChatError(LinliError):
    """WeChat answered with an errcode other than 0."""

    code = "wechat_refused"
    http_status = 502

    def __init__(self, errcode: int, errmsg: str, api: str) -> None:
        super().__init__(f"{api}: {errcode} {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg
        self.api = api


class WeChatUnreachable(LinliError):
    """No usable answer from WeChat: nobody knows whether the call was carried out."""

    code = "wechat_unreachable"
    http_status = 502

    def __init__(self, api: str, detail: str = "") -> None:
        super().__init__(f"{api}: {detail}" if detail else api)
        self.api = api
