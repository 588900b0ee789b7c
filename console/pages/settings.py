"""The settings this process runs with: read only, each with its source and what is wrong."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from aiohttp import web

from console.frame import AdminKind, Pages, Visit, administrator

pages = Pages()

SOURCES = {"environment": "环境变量", ".env": ".env 文件", "default": "默认"}
_WORDS = tomllib.loads(files("console").joinpath("setting_words.toml").read_text(encoding="utf-8"))
_SAID = {"(empty)": "空", "(not set)": "没有设置"}
MARKS = {"ok": "正常", "!": "留意", "x": "要改"}
_SYSTEM = administrator(AdminKind.SYSTEM)


@pages.get("/settings", who=_SYSTEM)
async def show(visit: Visit) -> web.StreamResponse:
    """All of them."""
    settings = visit.office.back.settings()
    return visit.render(
        "settings.html",
        title="系统设置",
        settings=settings,
        wrong=[one for one in settings if one.wrong],
        sources=SOURCES,
        said=_SAID,
        words=_WORDS,
    )


@pages.post("/settings/check", who=_SYSTEM)
async def check(visit: Visit) -> web.StreamResponse:
    """What the doctor finds; it asks WeChat too."""
    findings = await visit.office.back.examine()
    part = "settings_findings.html" if visit.by_htmx else "settings_checked.html"
    return visit.render(part, title="检查结果", findings=findings, marks=MARKS)
