"""The menu on the left: where to, under which name, for whom."""

from __future__ import annotations

from collections.abc import Sequence

from console.audience_form import writers
from console.frame import ROOT, AdminKind, Visit, Who, administrator, staff
from console.pages.applications import handles
from console.pages.counter import at_counter
from console.pages.households import keeps
from console.pages.rooms import decides

#: In the order it is shown.
ENTRIES: Sequence[tuple[str, str, Who]] = (
    ("/", "待办", staff),
    ("/cases", "事项", staff),
    ("/map", "地图", staff),
    ("/register", "登记", staff),
    ("/rooms", "网格群", staff),
    ("/conversations", "居民对话", staff),
    ("/reviews", "消息审核", decides),
    ("/counter", "窗口", at_counter),
    ("/applications", "办件", handles),
    ("/activities", "活动", at_counter),
    ("/services", "服务指南", staff),
    ("/households", "住户", keeps),
    ("/broadcasts", "群发", writers),
    ("/surveys", "问卷投票", staff),
    ("/dashboards", "看板", staff),
    ("/rules", "规则", staff),
    ("/accounts", "账号", administrator(AdminKind.SECURITY, AdminKind.SYSTEM)),
    ("/organisation", "组织", administrator(AdminKind.SYSTEM)),
    ("/wechat", "公众号", administrator(AdminKind.SYSTEM)),
    ("/settings", "系统设置", administrator(AdminKind.SYSTEM)),
    ("/screens", "大屏", administrator(AdminKind.SYSTEM)),
    ("/connectors", "对接", administrator(AdminKind.SYSTEM)),
    ("/stuck", "未送达", administrator(AdminKind.SYSTEM)),
    ("/health", "运行情况", administrator(AdminKind.SYSTEM)),
    ("/audit", "审计记录", administrator(AdminKind.AUDIT)),
)


def menu(visit: Visit) -> list[tuple[str, str]]:
    """What this person may go to."""
    return [(path, name) for path, name, who in ENTRIES if who(visit)]


def here(visit: Visit, path: str) -> bool:
    """Whether the page shown belongs to this entry."""
    shown = visit.request.path.removeprefix(ROOT) or "/"
    return shown == path or (path != "/" and shown.startswith(f"{path}/"))
