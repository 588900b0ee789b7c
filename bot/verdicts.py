"""What a failed send means for the message: try again later, take the next channel, or put it aside for
staff.

Codes and their meaning: WeChat's pages for each API and its table of global return codes. An unknown code is
put aside, never tried without end.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from errors import LinliError, Unavailable, WeChatError, WeChatUnreachable


class Verdict(StrEnum):
    """What to do with a message that was not delivered."""

    RETRY_LATER = "retry_later"
    """The trouble passes: the same message, the same channel, later."""
    NEXT_RUNG = "next_rung"
    """This channel cannot reach this person now; another one may."""
    PARK = "park"
    """Our fault: sending it again cannot help until somebody mends it."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict with its reason for staff."""

    verdict: Verdict
    reason: str
    retry_after: float | None = None
    """Seconds before which trying again is of no use."""
    maybe_sent: bool = False
    """WeChat may have sent it although we got no answer: a repeat may reach the person twice."""


def ruling(error: Exception) -> Ruling:
    """What to do after this error of an API call."""
    if isinstance(error, WeChatError):
        return _of_code(error)
    if isinstance(error, WeChatUnreachable):
        maybe_sent = bool(error.data.get("sent", True))
        reason = "微信没有回应，不确定是否已送达" if maybe_sent else "暂时连不上微信"
        return Ruling(Verdict.RETRY_LATER, reason, error.data.get("retry_after"), maybe_sent)
    if isinstance(error, Unavailable):
        window = "今天" if error.data.get("seconds", 0) > _HOUR else "这一分钟"
        reason = f"{window}的发送次数已到上限，稍后自动再发"
        return Ruling(Verdict.RETRY_LATER, reason, error.data.get("retry_after"))
    detail = error.detail if isinstance(error, LinliError) else type(error).__name__
    return Ruling(Verdict.PARK, f"消息内容或程序有问题：{detail}")


def verdict(error: Exception) -> Verdict:
    """The ruling's verdict alone."""
    return ruling(error).verdict


def _of_code(error: WeChatError) -> Ruling:
    retry, next_rung, park = (_RETRY.get(error.errcode), _NEXT.get(error.errcode), _PARK.get(error.errcode))
    if retry is not None:
        reason, seconds = retry
        return Ruling(Verdict.RETRY_LATER, f"{reason}（{error.errcode}）", seconds)
    if next_rung is not None:
        return Ruling(Verdict.NEXT_RUNG, f"{next_rung}（{error.errcode}）")
    reason = park or f"微信返回没见过的错误：{error.errmsg[:80]}"
    if named := _KEYWORD.search(error.errmsg) if error.errcode == 47003 else None:
        reason = f"模板字段 {named[1]} 不合要求"
    return Ruling(Verdict.PARK, f"{reason}（{error.errcode}）")


_HOUR = 3_600.0
#: How 47003 names the keyword: "argument invalid! data.phrase3.value invalid".
_KEYWORD = re.compile(r"data\.(\w{1,32})\.value")

_RETRY: Mapping[int, tuple[str, float | None]] = {
    -1: ("微信系统繁忙", None),
    # Refused although renewed once: somebody else renews this account's token, or a setting is wrong.
    40001: ("公众号凭证失效，请检查是否有别的系统在用同一公众号", 60.0),
    40014: ("公众号凭证不正确", 60.0),
    41001: ("公众号凭证缺失", 60.0),
    42001: ("公众号凭证过期", 60.0),
    40002: ("获取凭证的方式不对，请检查设置", 60.0),
    40013: ("公众号 AppID 不对，请检查设置", 60.0),
    40125: ("公众号 AppSecret 不对，请检查设置", 60.0),
    40164: ("服务器 IP 不在公众号白名单里，请到公众平台添加", 60.0),
    61004: ("服务器 IP 不在公众号白名单里，请到公众平台添加", 60.0),
    40243: ("公众号 AppSecret 已被冻结，请到公众平台解冻", 60.0),
    50004: ("公众号被禁止获取凭证，请到公众平台查看", 60.0),
    45009: ("今天的调用次数已用完", _HOUR),
    45011: ("这一分钟调用太快", 60.0),
    45066: ("同一群发重试太快", 60.0),
}
"""Passes by itself, or once an operator has mended the account: nothing is wrong with the message."""

_NEXT: Mapping[int, str] = {
    40003: "对方不是本公众号的关注者",
    40200: "本公众号类型不支持这种消息",
    43004: "对方没有关注公众号",
    43019: "对方在公众号黑名单里",
    43101: "对方没有同意接收订阅通知，或同意次数已用完",
    43104: "对方不属于这个公众号或小程序",
    45002: "内容太长，这种消息装不下",
    45015: "对方超过 48 小时没有互动，或已取消关注",
    45047: "对方互动后的客服消息条数已用完",
    45080: "对方最近 30 秒没有互动",
    45081: "正在输入的提示已经在显示",
    48001: "公众号没有这种消息的权限",
    48002: "对方关闭了接收消息",
    48004: "公众号的这个接口被微信封禁，请到公众平台查看",
    61010: "对方最近两小时没有打开小程序",
}

_PARK: Mapping[int, str] = {
    40004: "素材类型不对",
    40005: "文件类型不对",
    40006: "素材太大",
    40007: "素材不存在或已过期",
    40008: "消息类型不对",
    40016: "菜单按钮个数不对",
    40018: "菜单按钮名字太长",
    40029: "登录凭证无效",
    40033: "内容里有微信不接受的字符",
    40037: "模板编号不对，请核对公众号里的模板",
    40129: "内容检查的场景不对",
    40130: "群发至少要两个人",
    40163: "登录凭证已用过",
    40169: "小程序码的场景太长",
    40226: "对方的微信登录被限制",
    41030: "小程序页面不存在",
    44002: "内容是空的",
    44004: "内容是空的",
    45008: "图文超过一条",
    45028: "本月群发次数已用完",
    45056: "标签太多",
    45057: "标签下关注者太多，不能删除",
    45058: "系统自带的标签不能改",
    45059: "对方身上的标签太多",
    45065: "同一编号的群发已经提交过，不会再发",
    45072: "正在输入的指令不对",
    45157: "标签重名",
    45158: "标签名字太长",
    46003: "公众号没有菜单",
    47001: "发给微信的内容格式不对",
    47003: "模板的某个字段不合要求",
    48006: "本月清零次数已用完",
    65303: "公众号没有默认菜单",
    65320: "个性化菜单的条件不被支持",
    76003: "接口路径不对",
    87009: "登录状态的签名不对",
    87014: "内容没有通过微信的安全检查",
}
