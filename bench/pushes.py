"""What WeChat would post: signed, encrypted messages of many residents, as complete HTTP requests made beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from time import time
from urllib.parse import urlencode

from bot.crypto import Cryptor, signature
from bot.wire import encrypted_part, parse_body

APPID = "wxbe5c000000000001"
TOKEN = "benchtoken"  # noqa: S105 - the account exists in this run only
AES_KEY = f"{'bench' * 8}beA"
ACCOUNT = "gh_bench00000001"

_ALARMS = (
    "闻到很浓的煤气味，快来人",
    "燃气泄漏了，味道很大，快来看看",
    "着火了，冒很大的烟，快来人",
    "电梯困人了，里面有老人，快来救人",
    "楼道里煤气味很浓，正在漏气，快派人来",
)
_MATTERS = (
    "楼道灯坏了好几天了，晚上老人上下楼看不见",
    "门口垃圾堆成山了，一直没人清理，味道很大",
    "下水道堵了，污水都漫到路上来了",
    "楼顶漏水，墙都泡坏了，反映过没人修",
    "晚上楼下烧烤店噪音很大，吵得睡不着觉",
)


@dataclass(frozen=True, slots=True)
class Account:
    """One official account in safe mode and the web process that serves it."""

    port: int
    cryptor: Cryptor
    random: Random

    def alarms(self, residents: Iterator[str]) -> Iterator[tuple[bytes]]:
        """An emergency each: one message that becomes a case at once."""
        for openid in residents:
            yield (self.push(openid, f"{self._place()}{self.random.choice(_ALARMS)}"),)

    def dialogues(self, residents: Iterator[str]) -> Iterator[tuple[bytes, bytes]]:
        """An ordinary matter each: the sentence, then 1 for yes, hand it in."""
        for openid in residents:
            matter = f"{_own_building(openid)}{self.random.choice(_MATTERS)}"
            yield self.push(openid, matter), self.push(openid, "1")

    def push(self, openid: str, text: str) -> bytes:
        """One text message as WeChat posts it in safe mode."""
        now = str(int(time()))
        body = (
            f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
            f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[{text}]]></Content><MsgId>{next(_IDS)}</MsgId></xml>"
        )
        encrypted = self.cryptor.encrypt(body.encode())
        nonce = str(self.random.randrange(10**8, 10**9))
        query = {
            "signature": signature(TOKEN, now, nonce),
            "timestamp": now,
            "nonce": nonce,
            "openid": openid,
            "encrypt_type": "aes",
            "msg_signature": signature(TOKEN, now, nonce, encrypted),
        }
        envelope = (
            f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        ).encode()
        head = (
            f"POST /wechat/callback?{urlencode(query)} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            "User-Agent: Mozilla/4.0\r\nAccept: */*\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(envelope)}\r\n\r\n"
        )
        return head.encode() + envelope

    def read(self, answer: bytes) -> str:
        """The text of an encrypted passive reply; raises BadMessage for anything else."""
        opened = self.cryptor.decrypt(encrypted_part(parse_body(answer)) or "")
        return str(parse_body(opened.body)["Content"])

    def _place(self) -> str:
        return f"{self.random.randint(1, 60)}栋{self.random.randint(1, 4)}单元"


def _own_building(openid: str) -> str:
    """A building no other resident of the same grid lives in: residents are numbered round a thousand grids. Two who
    report the same matter of one building would be asked whether it is the same."""
    return f"{int(''.join(filter(str.isdigit, openid))) // 1_000 + 1}栋"


_IDS = count(24_000_000_000_000_000)


def account(port: int) -> Account:
    """The bench's account on this port."""
    return Account(port, Cryptor(APPID, TOKEN, [AES_KEY]), Random(20261120))
