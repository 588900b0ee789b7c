"""Python, the data folder, disk space and the port."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

import aiohttp

from app.doctor.report import Report
from app.settings import Settings
from domain.drawing import find_font
from errors import SettingsError, Unavailable
from nlp.model import read

_GIB = 1024**3


def check_home(settings: Settings, report: Report) -> None:
    """Can we write there, and can the OS user that PostgreSQL drops to get in?"""
    home = settings.home.expanduser().resolve()
    folder = next(folder for folder in (home, *home.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        report.wrong(
            f"cannot write in {folder} ({error.strerror})", "set LINLI_HOME to a folder this user may write in"
        )
        return
    report.ok(f"data folder {home}" + ("" if home.exists() else " (made at the first start)"))
    if closed := closed_folders(settings):
        report.note(
            f"as root, the embedded PostgreSQL opens these folders to every user of this machine: "
            f"{', '.join(map(str, closed))}",
            "run Linli as an ordinary user, put LINLI_HOME elsewhere (e.g. /srv/linli), or set LINLI_DATABASE_URL",
        )


def closed_folders(settings: Settings) -> list[Path]:
    """Folders above the data folder that the OS user of the embedded PostgreSQL (`pgserver`) cannot pass.

    Only as root: then the engine drops to that user, and opens these folders by chmod o+rx.
    """
    if settings.database_url or os.geteuid() != 0:
        return []
    home = settings.home.expanduser().resolve()
    return [folder for folder in (home, *home.parents) if folder.exists() and not folder.stat().st_mode & 0o001]


def check_model(settings: Settings, report: Report) -> None:
    """Is there a learned model, and is it one?"""
    path = settings.model_path
    if not path.exists():
        report.ok("no learned model: the rules work alone")
        return
    try:
        about = read(path).about
    except SettingsError as wrong:
        report.wrong(wrong.detail, "until then the rules work alone")
        return
    report.ok(
        f"learned model {path}: {about.trained}, {about.rows} rows, "
        f"macro-F1 {about.scores.get('whole_macro_f1', 0):.2f}, "
        f"of the rules alone {about.scores.get('rules_whole_macro_f1', 0):.2f}"
    )


def check_font(report: Report) -> None:
    """Can Chinese be written into pictures: charts of surveys, certificates?"""
    try:
        path, _ = find_font()
    except Unavailable as missing:
        report.wrong("no font for Chinese in pictures", missing.detail.partition(": ")[2])
        return
    report.ok(f"pictures are written in {path.name}")


def check_disk(settings: Settings, report: Report) -> None:
    """Room for photos and the database."""
    home = settings.home.expanduser().resolve()
    folder = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(folder).free / _GIB
    if free < 1:
        report.wrong(f"{free:.1f} GiB free in {folder}", "the database stops when the disk is full: make room")
    elif free < 5:
        report.note(f"{free:.1f} GiB free in {folder}", "photos and the database grow: plan for more")
    else:
        report.ok(f"{free:.0f} GiB free in {folder}")


async def check_port(settings: Settings, report: Report) -> None:
    """Free, or taken by a Linli that runs already."""
    where = f"{settings.host}:{settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            report.ok(f"port {where} is free")
            return
    if await _is_linli(settings.base_url):
        report.ok(f"Linli answers on {where}")
    else:
        report.wrong(f"cannot listen on {where} ({reason})", "stop what uses it, or set LINLI_HOST and LINLI_PORT")


async def _is_linli(base_url: str) -> bool:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
            session.get(f"{base_url}/healthz") as answer,
        ):
            said: object = await answer.json(content_type=None)
            return said == {"status": "ok"}
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return False
