"""What the callback answered, judged as WeChat judges it: a reply to show, silence, or the fault line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.crypto import Cryptor, check_signature
from errors import BadMessage, BadSignature
from simulator.config import SimulatorConfig
from simulator.links import shown
from simulator.markup import NotXmlError, read_xml

FAULT_LINE: Final = "该公众号提供的服务出现故障，请稍后再试"
MAX_TEXT: Final = 2048
"""Bytes of UTF-8 in a text reply; a longer one is not shown."""


class AnswerError(Exception):
    """An answer that shows the user the fault line; says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A valid answer. `kind` is "" for silence."""

    kind: str = ""
    text: str = ""
    """As sent, links included."""
    fields: Mapping[str, Any] | None = None
    xml: str = ""
    """The reply after decryption."""
    note: str = ""
    """Why a reply is not shown although it is no fault."""

    @property
    def shown(self) -> str:
        """What the user reads."""
        return shown(self.text)


class AnswerReader:
    """Reads the answers of one account."""

    def __init__(self, config: SimulatorConfig, cryptor: Cryptor | None) -> None:
        self._config = config
        self._cryptor = cryptor

    def read(self, status: int, body: bytes, openid: str) -> Answer:
        """The answer to a push of `openid`. Raises AnswerError with the reason."""
        if status != 200:
            raise AnswerError(f"HTTP {status}")
        if body.strip() in (b"", b"success"):
            # Both travel unencrypted even in safe mode.
            return Answer()
        try:
            fields = read_xml(body)
            if "Encrypt" in fields:
                body = self._open(fields)
                fields = read_xml(body)
            elif self._config.mode == "safe":
                raise AnswerError("安全模式下回复没有加密")
        except NotXmlError as error:
            raise AnswerError(f"不是 XML：{error}") from error
        return self._check(fields, body.decode("utf-8"), openid)

    def _open(self, envelope: Mapping[str, Any]) -> bytes:
        if self._cryptor is None or self._config.mode == "plain":
            raise AnswerError("明文模式下回复了密文")
        try:
            signed = (envelope["TimeStamp"], envelope["Nonce"], envelope["Encrypt"])
            check_signature(envelope["MsgSignature"], self._config.token, *signed)
            return self._cryptor.decrypt(envelope["Encrypt"]).body
        except (KeyError, TypeError, AttributeError) as error:
            raise AnswerError("加密回复的字段不全") from error
        except BadSignature as error:
            raise AnswerError("回复的签名不对") from error
        except BadMessage as error:
            raise AnswerError("回复解密失败") from error

    def _check(self, fields: Mapping[str, Any], xml: str, openid: str) -> Answer:
        # Assumption: a reply with the names not swapped is a bad answer.
        if fields.get("ToUserName") != openid or fields.get("FromUserName") != self._config.account:
            raise AnswerError("回复的收发双方不对")
        kind = str(fields.get("MsgType", ""))
        check = _CHECKS.get(kind)
        if check is None:
            raise AnswerError(f"回复类型不认识：{kind or '没有'}")
        return check(kind, fields, xml)


def _check_text(kind: str, fields: Mapping[str, Any], xml: str) -> Answer:
    content = fields.get("Content")
    if not isinstance(content, str) or not content:
        raise AnswerError("文字回复是空的")
    if len(content.encode()) > MAX_TEXT:
        return Answer(xml=xml, note=f"文字回复超过 {MAX_TEXT} 字节，微信不显示")
    return Answer(kind, content, fields, xml)


def _check_media(kind: str, fields: Mapping[str, Any], xml: str) -> Answer:
    part = fields.get(kind.capitalize())
    wanted = "ThumbMediaId" if kind == "music" else "MediaId"
    if not isinstance(part, Mapping) or not part.get(wanted):
        raise AnswerError(f"{kind} 回复缺少 {wanted}")
    return Answer(kind, "", fields, xml)


def _check_news(kind: str, fields: Mapping[str, Any], xml: str) -> Answer:
    articles = fields.get("Articles")
    items = articles.get("item") if isinstance(articles, Mapping) else None
    # Since 2018-10-12 one article is all that is allowed (assumption: more shows the fault line).
    if not isinstance(items, Mapping) or str(fields.get("ArticleCount")) != "1":
        raise AnswerError("图文回复只能有一篇")
    return Answer(kind, str(items.get("Title", "")), fields, xml)


def _check_transfer(_kind: str, fields: Mapping[str, Any], xml: str) -> Answer:
    return Answer("", "", fields, xml, "已转给人工客服")


_CHECKS: Final = {
    "text": _check_text,
    "image": _check_media,
    "voice": _check_media,
    "video": _check_media,
    "music": _check_media,
    "news": _check_news,
    "transfer_customer_service": _check_transfer,
}
