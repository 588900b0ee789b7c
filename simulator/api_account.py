"""API endpoints about the account itself: tokens, menu, QR codes, media, followers, quotas, login codes."""

from typing import Any, Final

from simulator.call import Call, File, text_of
from simulator.calls import LIMITS
from simulator.codes import Purpose
from simulator.phones import Phone
from simulator.refusals import ApiRefusal

PHONE_NUMBER: Final = "138{:08d}"

Done = dict[str, Any]


def token(call: Call) -> Done:
    """`GET /cgi-bin/token`: a new token each time. The appid is checked before the grant_type."""
    appid = call.query.get("appid", "")
    if not appid:
        raise ApiRefusal(41002)
    _check_account(call, appid, call.query.get("secret", ""), call.query.get("grant_type"))
    return call.platform.tokens.issue_classic(appid, call.platform.now())


def stable_token(call: Call) -> Done:
    """`POST /cgi-bin/stable_token`: the same token until its last five minutes."""
    body = call.json()
    appid = text_of(body, "appid")
    _check_account(call, appid, text_of(body, "secret"), body.get("grant_type"))
    force = body.get("force_refresh") is True
    return call.platform.tokens.issue_stable(appid, call.platform.now(), force=force)


def _check_account(call: Call, appid: str, secret: str, grant_type: object) -> None:
    if appid not in call.platform.config.secrets:
        raise ApiRefusal(40013)
    if grant_type != "client_credential":
        raise ApiRefusal(40002)
    if not secret:
        raise ApiRefusal(41004)
    call.platform.tokens.check_account(appid, secret)


def menu_create(call: Call) -> Done:
    """`/cgi-bin/menu/create`; phones show the new menu at once (on WeChat within 24 hours)."""
    call.platform.menu.create(call.json())
    return _menu_changed(call)


def menu_get(call: Call) -> Done:
    """`/cgi-bin/menu/get`."""
    return call.platform.menu.get()


def menu_delete(call: Call) -> Done:
    """`/cgi-bin/menu/delete`."""
    call.platform.menu.delete()
    return _menu_changed(call)


def _menu_changed(call: Call) -> Done:
    call.platform.feed.publish("menu", menu=call.platform.menu.buttons)
    call.platform.state.changed()
    return {"errcode": 0, "errmsg": "ok"}


def qrcode_create(call: Call) -> Done:
    """`/cgi-bin/qrcode/create`; the image is at showqrcode."""
    made = call.platform.qrcodes.create(call.json(), call.platform.now())
    call.platform.feed.publish("qrcodes")
    call.platform.state.changed()
    return made


def media_upload(call: Call) -> Done:
    """`/cgi-bin/media/upload?type=`: multipart field `media`, kept for three days."""
    kind = call.query.get("type", "")
    data = (call.files or {}).get("media", b"")
    media = call.platform.media.upload(kind, data, call.platform.now())
    call.platform.state.changed()
    named = "thumb_media_id" if kind == "thumb" else "media_id"
    return {"type": kind, named: media.media_id, "created_at": int(media.created.timestamp()), "item": []}


def media_get(call: Call) -> Done | File:
    """`/cgi-bin/media/get`: the bytes, or for a video where to get them."""
    platform = call.platform
    media = platform.media.get(call.query.get("media_id"), platform.now())
    if media.kind == "video":
        return {"video_url": f"{platform.config.base_url}/media/{media.media_id}"}
    content = platform.media.read(media)
    return File(content, media.content_type, f"{media.media_id}.{media.suffix}")


def user_info(call: Call) -> Done:
    """`/cgi-bin/user/info`: no nickname and no avatar since 2021-12-27."""
    phone = call.follower_or_not(call.query.get("openid"))
    if not phone.following:
        return {"subscribe": 0, "openid": phone.openid}
    return {
        "subscribe": 1,
        "openid": phone.openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": int(phone.subscribed_at.timestamp()) if phone.subscribed_at else 0,
        **_union_id(call, phone),
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if phone.scene else "ADD_SCENE_SEARCH",
        "qr_scene": int(phone.scene) if phone.scene.isdecimal() else 0,
        "qr_scene_str": "" if phone.scene.isdecimal() else phone.scene,
    }


def user_list(call: Call) -> Done:
    """`/cgi-bin/user/get`: openids of followers, 10,000 a page."""
    followers = [phone.openid for phone in call.platform.phones if phone.following]
    after = call.query.get("next_openid", "")
    start = followers.index(after) + 1 if after in followers else 0
    page = followers[start : start + 10_000]
    last = page[-1] if page else ""
    return {
        "total": len(followers),
        "count": len(page),
        "data": {"openid": page} if page else {},
        "next_openid": last,
    }


def callback_ips(_call: Call) -> Done:
    """`/cgi-bin/getcallbackip`: pushes of this platform come from this machine."""
    return {"ip_list": ["127.0.0.1", "::1"]}


def api_ips(_call: Call) -> Done:
    """`/cgi-bin/get_api_domain_ip`."""
    return {"ip_list": ["127.0.0.1", "::1"]}


def quota_get(call: Call) -> Done:
    """`/cgi-bin/openapi/quota/get` of a path with a daily limit."""
    path = text_of(call.json(), "cgi_path")
    if path not in LIMITS:
        raise ApiRefusal(76003)
    quota = call.platform.calls.quota(call.appid, path, call.platform.now())
    return {"errcode": 0, "errmsg": "ok", "quota": quota}


def clear_quota(call: Call) -> Done:
    """`/cgi-bin/clear_quota`, ten times a month."""
    if text_of(call.json(), "appid") != call.appid:
        raise ApiRefusal(40013)
    call.platform.calls.clear(call.appid, call.platform.now())
    return {"errcode": 0, "errmsg": "ok"}


def code_to_session(call: Call) -> Done:
    """`GET /sns/jscode2session`: who a mini-program's login code belongs to; a success has no errcode."""
    query = call.query
    platform = call.platform
    appid = query.get("appid", "")
    if appid != (platform.config.miniapp_appid or platform.config.appid):
        raise ApiRefusal(40013)
    platform.tokens.check_account(appid, query.get("secret", ""))
    if query.get("grant_type", "authorization_code") != "authorization_code":
        raise ApiRefusal(40002)
    phone = _redeem(call, "login", query.get("js_code", ""))
    openid = f"mini_{phone.openid}" if platform.config.miniapp_appid else phone.openid
    return {"session_key": platform.codes.session_key(), "openid": openid, **_union_id(call, phone)}


def phone_number(call: Call) -> Done:
    """`POST /wxa/business/getuserphonenumber`: an invented number, the same for the same person."""
    phone = _redeem(call, "phone", text_of(call.json(), "code"))
    number = PHONE_NUMBER.format(sum(phone.openid.encode()) * 7_919 % 10**8)
    return {
        "errcode": 0,
        "errmsg": "ok",
        "phone_info": {
            "phoneNumber": number,
            "purePhoneNumber": number,
            "countryCode": "86",
            "watermark": {"timestamp": int(call.platform.now().timestamp()), "appid": call.appid},
        },
    }


def _union_id(call: Call, phone: Phone) -> Done:
    # A person's openid differs between account and mini-program; the unionid joins them (owners need an Open
    # Platform account for it: this one has). With one appid there is nothing to join.
    return {"unionid": f"union_{phone.openid}"} if call.platform.config.miniapp_appid else {}


def _redeem(call: Call, purpose: Purpose, code: str) -> Phone:
    if not code:
        raise ApiRefusal(41008)
    return call.follower_or_not(call.platform.codes.redeem(purpose, code, call.platform.now()))
