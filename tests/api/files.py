"""Files as people send them, and as attackers do. Every bad one carries the payload, which must not be stored."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from PIL import Image, PngImagePlugin

#: What must not be left of a file that was made anew.
PAYLOAD = b"<script>alert('linli')</script>"
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
_GPS = {1: "N", 2: (30.0, 32.0, 10.0), 3: "E", 4: (114.0, 20.0, 5.0)}


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), colour: str = "teal", **more: object) -> bytes:
    """A real picture."""
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind, **more)
    return written.getvalue()


def with_place() -> bytes:
    """A photo of a telephone held upright: turned by 90 degrees, with the place, the maker and a comment."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = PAYLOAD.decode()
    exif.get_ifd(0x8825).update(_GPS)
    return picture(size=(80, 40), exif=exif, comment=PAYLOAD)


def amr(frames: int = 50) -> bytes:
    """Speech of a telephone, 12.2 kbit/s."""
    return b"#!AMR\n" + (bytes([0x3C]) + bytes(31)) * frames


def mp3(frames: int = 40) -> bytes:
    """Silence, 64 kbit/s at 44.1 kHz."""
    return (b"\xff\xfb\x50\xc4" + bytes(204)) * frames


def wav(seconds: float = 1) -> bytes:
    """Silence, 16 bit mono at 8 kHz, with a list of titles."""
    sound = bytes(int(16_000 * seconds))
    title = b"LIST" + struct.pack("<I", len(PAYLOAD) + 1) + PAYLOAD + b"\0"
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16_000, 2, 16)
    body = b"WAVE" + form + title + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(kind: bytes, content: bytes) -> bytes:
    """A box of an MP4 file."""
    return struct.pack(">I", len(content) + 8) + kind + content


def m4a(handler: bytes = b"soun", extra: bytes = b"") -> bytes:
    """Sound as telephones record it, with the place in its user data."""
    mvhd = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 2500) + bytes(80))
    hdlr = box(b"hdlr", bytes(8) + handler + bytes(13))
    track = box(b"trak", box(b"mdia", hdlr))
    moov = box(b"moov", mvhd + track + box(b"udta", box(b"\xa9xyz", b"+30.5361+114.3481/" + PAYLOAD)))
    return box(b"ftyp", b"M4A \0\0\0\0M4A mp42") + moov + box(b"free", PAYLOAD) + extra + box(b"mdat", bytes(400))


def _png_of(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(3 * 1000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _gif_of(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + picture("GIF")[13:]


def _archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("index.html", PAYLOAD)
    return written.getvalue()


def _text_bomb() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("a", "x" * 80_000_000, zip=True)
    return picture("PNG", pnginfo=notes)


def refused() -> Iterator[tuple[str, bytes]]:
    """(name, content) of what is not taken."""
    jpeg, png, gif = picture(), picture("PNG"), picture("GIF")
    page = b"<!DOCTYPE html><html>" + PAYLOAD
    yield from {
        "empty.jpg": b"",
        "one-byte.jpg": b"\xff",
        "page.jpg": page,
        "page-with-mark.jpg": b"\xef\xbb\xbf" + page,
        "drawing.svg": _SVG,
        "drawing.png": b'<?xml version="1.0"?>' + _SVG,
        "paper.pdf": b"%PDF-1.7\n1 0 obj << /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>",
        "archive.jpg": _archive(),
        "program.jpg": b"MZ" + bytes(200),
        "program.png": b"\x7fELF" + bytes(200),
        "script.gif": b"#!/bin/sh\nrm -rf /\n",
        "script.php.jpg": b"<?php system($_GET['c']); ?>",
        "words.wav": "一段文字".encode() * 20,
        "random.jpg": bytes(range(256)) * 4,
        "late.jpg": b" " + jpeg,
        "../../../etc/passwd": page,
        "..\\..\\boot.ini": page,
        "C:\\photo.jpg": page,
        "长" * 300 + ".jpg": page,
        "icon.ico": b"\0\0\1\0" + bytes(100),
        "picture.bmp": picture("BMP"),
        "picture.tif": picture("TIFF"),
        "picture.psd": b"8BPS" + bytes(100),
        "picture.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "picture.heic": box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(100),
        "film.mp4": m4a(handler=b"vide"),
        "film.webm": b"\x1aE\xdf\xa3" + bytes(100),
        "film.avi": b"RIFF" + struct.pack("<I", 200) + b"AVI " + bytes(200),
        "sound.ogg": b"OggS" + bytes(100),
        "sound.flac": b"fLaC" + bytes(100),
        "gif-and-script.gif": b"GIF89a/*" + PAYLOAD + b"*/=1;",
        "jpeg-in-name.jpg": b"\xff\xd8\xff\xe0" + PAYLOAD * 40,
        "png-in-name.png": b"\x89PNG\r\n\x1a\n" + PAYLOAD * 40,
        "webp-in-name.webp": b"RIFF" + struct.pack("<I", 900) + b"WEBP" + PAYLOAD * 28,
        "cut-off.jpg": picture(size=(900, 900))[:2000],
        "cut-off.png": png[:60],
        "cut-off.gif": gif[:20],
        "pixel-bomb.png": _png_of(50_000, 50_000),
        "pixel-bomb-wide.png": _png_of(2**31 - 1, 1),
        "pixel-bomb.gif": _gif_of(65_535, 65_535),
        "nothing-in-it.png": _png_of(0, 10),
        "text-bomb.png": _text_bomb(),
        "amr-and-page.amr": b"#!AMR\n" + PAYLOAD,
        "amr-then-page.amr": amr() + page,
        "cut-off.amr": amr()[:-3],
        "only-name.amr": b"#!AMR\n",
        "wav-and-page.wav": b"RIFF" + struct.pack("<I", len(page) + 4) + b"WAVE" + page,
        "wav-too-long.wav": wav()[:-100],
        "wav-no-rate.wav": wav().replace(struct.pack("<I", 8000), bytes(4)),
        "mp3-and-page.mp3": b"ID3\4\0\0\0\0\0\0" + page,
        "mp3-then-page.mp3": mp3() + page * 200,
        "mp3-id3-lies.mp3": b"ID3\4\0\0\x7f\x7f\x7f\x7f" + mp3(),
        "m4a-deep.m4a": box(b"ftyp", b"M4A ") + _nested(200) + box(b"mdat", b"x"),
        "m4a-many.m4a": box(b"ftyp", b"M4A ") + box(b"moov", box(b"free", b"") * 5000) + box(b"mdat", b"x"),
        "m4a-brands.m4a": box(b"ftyp", b"M4A " + PAYLOAD * 4) + m4a()[28:],
        "m4a-odd-box.m4a": m4a(extra=box(b"html", page)),
        "m4a-lies.m4a": m4a()[:-10],
    }.items()


def _nested(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = box(b"moov", content)
    return content


def made_anew() -> Iterator[tuple[str, bytes]]:
    """(name, content) of what is taken, and of which nothing may be left but what is seen or heard."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", PAYLOAD.decode())
    title = b"TAG" + PAYLOAD.ljust(125)
    yield from {
        "with-place.jpg": with_place(),
        "jpeg-then-page.jpg": picture() + b"<html>" + PAYLOAD,
        "jpeg-then-archive.jpg": picture() + _archive() + PAYLOAD,
        "jpeg-with-php.jpg": picture(comment=b"<?php system($_GET['c']); ?>" + PAYLOAD),
        "png-with-words.png": picture("PNG", pnginfo=notes),
        "png-then-archive.png": picture("PNG") + _archive() + PAYLOAD,
        "gif-then-script.gif": picture("GIF") + b"*/=1;" + PAYLOAD,
        "gif-with-comment.gif": picture("GIF", comment=PAYLOAD),
        "webp-with-xmp.webp": picture("WEBP", xmp=PAYLOAD),
        "wrong-name.png": picture() + PAYLOAD,
        "no-name": picture("WEBP"),
        "photo.svg": picture("PNG") + _SVG + PAYLOAD,
        "mp3-with-titles.mp3": b"ID3\4\0\0\0\0\0" + bytes([len(PAYLOAD)]) + PAYLOAD + mp3() + title,
        "titles.wav": wav(),
        "place.m4a": m4a(),
        "speech.amr": amr(),
    }.items()
