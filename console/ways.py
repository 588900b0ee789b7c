"""Ways back: to the page somebody wanted when they were asked to sign in, from a case to the list it was opened from.

Both are kept in a cookie, as forms and WeChat stand between; both are addresses of pages of ours and nothing else.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from console.frame import ROOT, Page, Visit, anyone

#: The pages somebody may go to by themselves, as the application has them mounted; `console.app` fills it in.
PAGES = web.AppKey("pages", Sequence[re.Pattern[str]])
_WANTED = "linli_wanted"
_WANTED_LIFE = 30 * 60
_LIST = "linli_list"
_MOST = 1_500  # characters of an address: a cookie holds little
_PLAIN = re.compile("[!-~]+")  # as addresses are sent: everything else is escaped
_FILE = re.compile(r"/(export|[^/]*\.[a-z]+)$")
_CASE = re.compile(r"/cases/(\d{1,18})")
#: Lists that lead to cases, and what they are called.
_LISTS = (
    (re.compile("/"), "待办"),
    (re.compile("/cases"), "事项列表"),
    (re.compile("/map"), "地图"),
    (re.compile("/dashboards(/[a-z]+)?"), "看板"),
    (re.compile(r"/rooms/\d+(/[a-z]+(/\d+)?)?"), "网格群"),
    (re.compile("/conversations"), "居民对话"),
    (re.compile(r"/services/providers/\d+"), "服务商家"),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A link: below ROOT, and what lies there."""

    path: str
    name: str


def own_pages(mounted: Sequence[tuple[Page, web.AbstractRoute]]) -> list[re.Pattern[str]]:
    """What `PAGES` holds: what is asked for by people, behind the sign-in."""
    found = []
    for page, route in mounted:
        if page.method == "GET" and not page.quiet and page.who is not anyone and route.resource:
            known = route.resource.get_info()
            found.append(known.get("pattern") or re.compile(re.escape(known["path"])))
    return found


def remember_wanted(visit: Visit) -> None:
    """Of somebody who has to sign in first: the page they asked for, or the one that asked by itself."""
    if visit.by_htmx:
        path = _ours(visit, visit.request.headers.get("HX-Current-URL", ""))
    else:
        path = _below_root(visit.request.raw_path)
    known = visit.request.config_dict[PAGES]
    plain = path.partition("?")[0]
    if path and not _FILE.search(plain) and any(page.fullmatch(plain) for page in known):
        visit.set_cookie(_WANTED, f"{visit.office.sign('wanted', path)}{path.encode().hex()}", _WANTED_LIFE)


def take_wanted(visit: Visit) -> str:
    """Where they go once they are in: that page, once; else the work desk."""
    given = visit.request.cookies.get(_WANTED, "")
    if not given:
        return "/"
    forget_wanted(visit)
    try:
        path = bytes.fromhex(given[32:]).decode()
    except ValueError:
        return "/"
    return path if hmac.compare_digest(given[:32], visit.office.sign("wanted", path)) else "/"


def forget_wanted(visit: Visit) -> None:
    """They begin at the work desk."""
    visit.set_cookie(_WANTED, "", 0)


def way_back(visit: Visit, case_id: int) -> Way:
    """From a case to where it was opened from, also after steps on its page; to the work desk where nobody knows."""
    before = _ours(visit, visit.request.headers.get("Referer", ""))
    kept_for, _, kept = visit.request.cookies.get(_LIST, "").partition(".")
    came_from = _CASE.match(before)
    if came_from and came_from[1] == kept_for:  # a step on this page, or a case beside it
        try:
            before = bytes.fromhex(kept).decode()
        except ValueError:
            before = ""
    plain = before.partition("?")[0]
    for known, name in _LISTS:
        if known.fullmatch(plain):
            visit.set_cookie(_LIST, f"{case_id}.{before.encode().hex()}")
            return Way(before, name)
    return Way("/", "待办")


def _ours(visit: Visit, address: str) -> str:
    """Below ROOT, of an address that a browser names; "" for one that is not ours."""
    try:
        named = urlsplit(address)
    except ValueError:
        return ""
    if named.netloc != visit.request.host:
        return ""
    return _below_root(f"{named.path}?{named.query}" if named.query else named.path)


def _below_root(path: str) -> str:
    fits = path.startswith(f"{ROOT}/") and len(path) <= _MOST and _PLAIN.fullmatch(path)
    return path.removeprefix(ROOT) if fits else ""
