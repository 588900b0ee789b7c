"""`/certificates/{number}`: what whoever scans the code of a certificate reads. Without script, for any phone."""

from __future__ import annotations

from html import escape
from typing import Final

from aiohttp import web

from domain.certificates import Checked, check_certificate
from domain.clock import SHANGHAI, say_minutes
from miniapp_api.addresses import client_of
from miniapp_api.answers import told
from miniapp_api.kernel import Desk

_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>证书核对</title><style>
body{{font:22px/1.7 system-ui,sans-serif;color:#1f2937;margin:0;padding:32px 20px;background:#f3f4f6}}
main{{max-width:32em;margin:auto;background:#fff;border-radius:12px;padding:24px;border-top:6px solid {colour}}}
h1{{font-size:30px;margin:0 0 12px;color:{colour}}}dl{{margin:0}}dt{{color:#4b5563;font-size:18px}}dd{{margin:0 0 10px}}
p{{color:#4b5563;font-size:18px}}</style></head><body><main><h1>{head}</h1>{body}</main></body></html>
"""
_REAL, _WRONG = "#0f766e", "#b91c1c"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def add_routes(app: web.Application, desk: Desk) -> None:
    """Mount the page; an address may ask as often as it may ask the API without a token."""

    async def show(request: web.Request) -> web.Response:
        try:
            await desk.limit("address", client_of(request, desk.proxies))
            found = await check_certificate(request.match_info["number"])
        except Exception as error:  # noqa: BLE001 - whatever it is, who scans a code reads a sentence
            seen = told(error, "/certificates", "-", desk.away)
            return _answer("没有核对上", f"<p>{escape(seen.say)}</p>", seen.http_status, _WRONG)
        return _answer("证书有效", _facts(found), 200, _REAL)

    app.router.add_get("/certificates/{number}", show)


def _answer(head: str, body: str, status: int, colour: str) -> web.Response:
    page = _PAGE.format(head=head, body=body, colour=colour)
    return web.Response(text=page, status=status, content_type="text/html", charset="utf-8", headers=_HEADERS)


def _facts(found: Checked) -> str:
    days = f"{found.starts_on:%Y-%m-%d} 至 {found.ends_on:%Y-%m-%d}"
    rows = (
        ("姓名（只显示姓）", found.name),
        ("志愿服务", f"{found.times} 次，共 {say_minutes(found.minutes)}"),
        ("时间", days),
        ("开具", f"{found.community or '社区'}，{found.made_at.astimezone(SHANGHAI):%Y-%m-%d}"),
        ("编号", found.number),
    )
    listed = "".join(f"<dt>{escape(head)}</dt><dd>{escape(text)}</dd>" for head, text in rows)
    return f"<dl>{listed}</dl><p>请和纸上的内容核对。对不上的，请问开具的社区。</p>"
