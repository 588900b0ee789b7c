"""What the platform answers when it refuses a call: HTTP 200 with an errcode, mostly followed by a request
id."""

from random import Random
from typing import Final

from errors import LinliError

NOT_LATEST: Final = (
    "invalid credential, access_token is invalid or not latest, "
    "could get access_token by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r"
)

TEXTS: Final[dict[int, str]] = {
    -1: "system error",
    40001: NOT_LATEST,
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40005: "invalid file type",
    40006: "invalid media size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40029: "invalid code",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40037: "invalid template_id",
    40053: "invalid action info",
    40059: "invalid msg id",
    40066: "invalid url",
    40125: "invalid appsecret",
    40163: "code been used",
    40129: "invalid scene",
    40130: "invalid openid list size, at least two openid",
    40131: "invalid clientmsgid",
    40200: "invalid account type",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41008: "missing code",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45028: "has no masssend quota",
    45029: "qrcode count out of limit",
    45047: "out of response count limit",
    45065: "clientmsgid exist",
    45066: "same clientmsgid retry too fast",
    45072: "invalid command",
    45080: "can not send typing status without recent interaction",
    45081: "already in typing status",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48006: "forbid to clear quota because of reaching the limit",
    61010: "code is expired",
    76003: "invalid cgi_path",
}
"""The words clients see. Tell refusals apart by errcode only: WeChat words the same code differently per
API."""


class ApiRefusal(LinliError):
    """The platform refuses a call of the account; the API answers it as HTTP 200 with `errcode`."""

    code = "platform_refused"

    def __init__(self, errcode: int, errmsg: str = "") -> None:
        self.errcode = errcode
        self.errmsg = errmsg or TEXTS.get(errcode, "error")
        super().__init__(f"{errcode} {self.errmsg}")


def request_id(random: Random) -> str:
    """A `rid` as WeChat appends it to error texts: eight hex digits, three times."""
    return "-".join(f"{random.getrandbits(32):08x}" for _ in range(3))
