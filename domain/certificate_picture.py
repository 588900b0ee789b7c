"""A certificate of volunteer time as a picture: to be printed, shown, and checked by the code in its corner."""

from __future__ import annotations

from datetime import date

import segno
from PIL import Image, ImageDraw

from domain.clock import SHANGHAI, say_minutes
from domain.drawing import ACCENT, INK, PALE, PAPER, clean, to_png, typeface, wrap
from models.bookings import Certificate

_SIZE = 1240, 877  # A4 across, 106 dots an inch: readable on a phone, good enough on paper
_EDGE, _SIDE = 110, 210  # of the text; of the code
_QUIET = 4  # modules around a QR code, as its standard asks


def address(base: str, number: str) -> str:
    """Where everybody checks a certificate."""
    return f"{base.rstrip('/')}/certificates/{number}"


def draw(certificate: Certificate, base: str) -> bytes:
    """The PNG; `base` is the address residents reach us at. Raises Unavailable without a font."""
    image = Image.new("RGB", _SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((24, 24, _SIZE[0] - 25, _SIZE[1] - 25), outline=ACCENT, width=6)
    pen.rectangle((38, 38, _SIZE[0] - 39, _SIZE[1] - 39), outline=ACCENT, width=1)
    _middle(pen, 92, "志愿服务证书", 76, ACCENT)
    _middle(pen, 220, clean(certificate.name), 58, INK)
    y = 330
    for line in wrap(_sentence(certificate), 36, _SIZE[0] - 2 * _EDGE, 5):
        pen.text((_EDGE, y), line, INK, typeface(36))
        y += 62
    _foot(image, pen, certificate, base)
    return to_png(image)


def _sentence(certificate: Certificate) -> str:
    days = f"{_day(certificate.starts_on)} 至 {_day(certificate.ends_on)}"
    if certificate.starts_on == certificate.ends_on:
        days = _day(certificate.starts_on)
    times = f"参加志愿服务 {certificate.times} 次，" if certificate.times else "参加志愿服务，"
    return f"{days}，{times}共 {say_minutes(certificate.minutes)}。特发此证，感谢您为邻里做的事。"


def _day(day: date) -> str:
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def _foot(image: Image.Image, pen: ImageDraw.ImageDraw, certificate: Certificate, base: str) -> None:
    """Who issues it and when, on the right; how to check it, on the left."""
    top = _SIZE[1] - _SIDE - 78
    image.paste(_code(address(base, certificate.number)), (_EDGE - 20, top))
    left = _EDGE + _SIDE - 4
    pen.text((left, top + 72), "扫码核对", PALE, typeface(24))
    pen.text((left, top + 112), f"编号 {certificate.number}", PALE, typeface(24))
    right, made = _SIZE[0] - _EDGE, certificate.made_at.astimezone(SHANGHAI).date()
    for place, line in enumerate((clean(certificate.community) or "社区", _day(made))):
        pen.text((right, top + 66 + 56 * place), line, INK, typeface(34), anchor="ra")


def _middle(pen: ImageDraw.ImageDraw, y: int, text: str, size: int, colour: str) -> None:
    pen.text((_SIZE[0] // 2, y), text, colour, typeface(size), anchor="ma")


def _code(url: str) -> Image.Image:
    """The QR code, black on white with its quiet zone."""
    rows = tuple(segno.make(url, error="m", micro=False).matrix)
    side = len(rows) + 2 * _QUIET
    image = Image.new("1", (side, side), 1)
    for y, row in enumerate(rows, _QUIET):
        for x, dark in enumerate(row, _QUIET):
            if dark:
                image.putpixel((x, y), 0)
    scale = max(1, _SIDE // side)
    return image.resize((side * scale, side * scale), Image.Resampling.NEAREST).convert("RGB")
