"""API endpoints of mass sends (群发): to a list, to everybody; what became of one; preview on one phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from simulator.call import Call, part_of, text_of
from simulator.config import Person
from simulator.mass import KnownClientId, MassSend
from simulator.phones import Bubble
from simulator.refusals import ApiRefusal
from simulator.replies import text_bubble

MOST: Final = 10_000
FEWEST: Final = 2
LONGEST_CLIENT_ID: Final = 32
#: Who WeChat's report on a mass send comes from: no follower, but an openid like theirs.
ASSISTANT: Final = Person("o_sim_mass_assistant", "群发助手", "微信")

Done = dict[str, Any]


def mass_send(call: Call) -> Done:
    """`/cgi-bin/message/mass/send`: to 2 to 10,000 people by openid."""
    body = call.json()
    given = body.get("touser")
    if (
        not isinstance(given, list)
        or not FEWEST <= len(given) <= MOST
        or not all(isinstance(one, str) for one in given)
    ):
        raise ApiRefusal(40130)
    return _take(call, body, given, to_all=False)


def mass_send_all(call: Call) -> Done:
    """`/cgi-bin/message/mass/sendall`: to all followers once a day and four times a month. This account has no tags, so
    a tag reaches nobody."""
    body = call.json()
    to_all = part_of(body, "filter").get("is_to_all") is True
    if to_all:
        call.platform.mass.check_all(call.platform.now())
    everybody = [phone.openid for phone in call.platform.phones if phone.following] if to_all else []
    return _take(call, body, everybody, to_all=to_all)


def mass_get(call: Call) -> Done:
    """`/cgi-bin/message/mass/get`: what became of a mass send."""
    send = call.platform.mass.get(call.json().get("msg_id"))
    return {"msg_id": send.msg_id, "msg_status": send.status}


def mass_delete(call: Call) -> Done:
    """`/cgi-bin/message/mass/delete`. Texts stay on the phones, as on WeChat: it takes back articles alone."""
    call.platform.mass.get(call.json().get("msg_id")).status = "DELETE"
    call.platform.state.changed()
    return {"errcode": 0, "errmsg": "ok"}


def mass_preview(call: Call) -> Done:
    """`/cgi-bin/message/mass/preview`: the message on one phone, uncounted."""
    body = call.json()
    phone = call.follower_or_not(body.get("touser"))
    call.platform.receive(phone, _bubble(body, call.platform.now()))
    return {"errcode": 0, "errmsg": "preview success", "msg_id": call.platform.next_id()}


def _take(call: Call, body: dict[str, Any], openids: Sequence[str], *, to_all: bool) -> Done:
    platform, now = call.platform, call.platform.now()
    bubble, client_id = _bubble(body, now), text_of(body, "clientmsgid")
    if len(client_id) > LONGEST_CLIENT_ID:
        raise ApiRefusal(40131)
    try:
        platform.mass.check_client_id(client_id, now)
    except KnownClientId as known:
        data = {"msg_id": known.known.msg_id, "msg_data_id": known.known.data_id}
        return {"errcode": known.errcode, "errmsg": known.errmsg, **data}
    found = [phone for phone in map(platform.phones.find, openids) if phone is not None and phone.following]
    receivers = platform.mass.receivers([phone.openid for phone in found], now)
    send = MassSend(platform.next_id(), platform.next_id(), now, client_id, to_all)
    platform.mass.note(send)
    status = platform.faults.mass_status
    if status == "send success":
        for phone in map(platform.phones.find, receivers):
            if phone is not None:
                platform.receive(phone, bubble)
    else:
        send.status = "SEND_FAIL"
    sent = len(receivers) if status == "send success" else 0
    counts = {"TotalCount": len(openids), "FilterCount": len(receivers), "SentCount": sent, "ErrorCount": 0}
    assistant = platform.add_phone(ASSISTANT, shown=False, following=False)
    platform.event_later(assistant, "MASSSENDJOBFINISH", {"MsgID": send.msg_id, "Status": status, **counts})
    return {"errcode": 0, "errmsg": "send job submission success", "msg_id": send.msg_id, "msg_data_id": send.data_id}


def _bubble(body: dict[str, Any], now: datetime) -> Bubble:
    """The message; this platform knows mass sends of text alone."""
    if text_of(body, "msgtype") != "text":
        raise ApiRefusal(40008)
    content = text_of(part_of(body, "text"), "content")
    if not content:
        raise ApiRefusal(44004)
    return text_bubble(now, "mass", content)
