"""Files that are sent (S14): told by their content, made anew, private, and nothing kept of what is refused."""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from domain.uploads import MOST_BYTES, drop_unused
from models.accounts import Upload
from tests.api.caller import Caller, Reply
from tests.api.conftest import SignIn
from tests.api.files import PAYLOAD, amr, m4a, made_anew, mp3, picture, refused, wav, with_place
from tests.town import CHEN, WANG, Town

REFUSED, MADE_ANEW = dict(refused()), dict(made_anew())


async def send(caller: Caller, content: bytes, name: str = "photo.jpg", kind: str = "image/jpeg") -> Reply:
    """Send a file as a form does."""
    form = aiohttp.FormData()
    form.add_field("file", content, filename=name, content_type=kind)
    return await caller.ask("POST", "/uploads", data=form)


async def opened(caller: Caller, town: Town, url: str) -> Reply:
    """What a phone gets from a signed address, without a token."""
    path = url.removeprefix(town.url).removeprefix("/api/v1")
    return await Caller(caller._session, caller.base).get(path)


def stored(town: Town) -> list[Path]:
    return [path for path in town.services.media.rglob("*") if path.is_file()]


@pytest.fixture
async def chen(town: Town, sign_in: SignIn) -> Caller:
    await town.say(CHEN, "你好")
    return await sign_in(CHEN)


def test_there_are_enough_bad_files():
    assert len(REFUSED) + len(MADE_ANEW) >= 70


async def test_what_is_neither_picture_nor_sound_is_refused_and_nothing_is_kept(town: Town, chen: Caller):
    wrong = []
    for name, content in REFUSED.items():
        town.clock.advance(timedelta(minutes=2))
        reply = await send(chen, content, name)
        if (reply.status, reply.code) != (400, "bad_request") or not reply.json["error"]["say"]:
            wrong.append((name, reply.status, reply.json))
    assert wrong == []
    assert (stored(town), await Upload.all().count()) == ([], 0)


async def test_of_what_is_taken_only_what_is_seen_or_heard_is_kept(town: Town, chen: Caller):
    left = []
    for name, content in MADE_ANEW.items():
        town.clock.advance(timedelta(minutes=2))
        reply = await send(chen, content, name, "text/html")
        assert reply.status == 201, (name, reply.json)
        shown = await opened(chen, town, reply.json["url"])
        assert len(shown.raw) == reply.json["size"], name
        if PAYLOAD in shown.raw or b"<script" in shown.raw or b"+30.5361" in shown.raw or b"PK\3\4" in shown.raw:
            left.append(name)
    assert left == []
    assert all(PAYLOAD not in path.read_bytes() for path in stored(town))


async def test_a_photo_stands_upright_and_says_nothing_of_where_it_was_taken(town: Town, chen: Caller):
    reply = await send(chen, with_place())
    assert (reply.json["width"], reply.json["height"], reply.json["content_type"]) == (40, 80, "image/jpeg")
    image = Image.open(io.BytesIO((await opened(chen, town, reply.json["url"])).raw))
    assert (image.size, dict(image.getexif()), image.info.get("comment")) == ((40, 80), {}, None)


async def test_a_large_photo_is_made_smaller(town: Town, chen: Caller):
    reply = await send(chen, picture(size=(9000, 3000)))
    assert max(reply.json["width"], reply.json["height"]) <= 4096
    assert reply.json["width"] / reply.json["height"] == pytest.approx(3, rel=0.01)


async def test_a_drawing_without_background_is_put_on_white(town: Town, chen: Caller):
    written = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(written, "PNG")
    reply = await send(chen, written.getvalue())
    image = Image.open(io.BytesIO((await opened(chen, town, reply.json["url"])).raw))
    assert image.getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "kind", "seconds"),
    [
        (amr(150), "audio/amr", 3),
        (mp3(115), "audio/mpeg", 3),
        (wav(2), "audio/wav", 2),
        (m4a(), "audio/mp4", 2),
    ],
)
async def test_recordings_are_told_apart_and_measured(
    town: Town, chen: Caller, content: bytes, kind: str, seconds: int
):
    reply = await send(chen, content, "voice.bin", "application/octet-stream")
    assert (reply.status, reply.json["kind"], reply.json["content_type"]) == (201, "voice", kind)
    assert reply.json["seconds"] == seconds


async def test_a_recording_longer_than_ten_minutes_is_refused(town: Town, chen: Caller):
    reply = await send(chen, amr(50 * 601))
    assert (reply.status, reply.json["error"]["say"]) == (400, "语音最长 10 分钟，请分几段说。")
    assert stored(town) == []


async def test_exactly_twenty_megabytes_are_read_and_one_byte_more_is_not(town: Town, chen: Caller):
    photo = picture()
    fits = await send(chen, photo + bytes(MOST_BYTES - len(photo)))
    too_large = await send(chen, photo + bytes(MOST_BYTES - len(photo) + 1))
    assert (fits.status, too_large.status, too_large.code) == (201, 413, "too_large")
    assert "20 MB" in too_large.json["error"]["say"]
    assert len(stored(town)) == await Upload.all().count() == 1


async def test_twenty_megabytes_do_not_have_to_fit_into_memory_at_once(town: Town, chen: Caller):
    def pieces() -> Iterator[bytes]:
        yield picture()
        for _ in range(300):
            yield bytes(64 * 1024)

    async def body() -> Any:
        for piece in pieces():
            yield piece

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    form = aiohttp.FormData()
    form.add_field("file", body(), filename="a.jpg", content_type="image/jpeg")
    reply = await chen.ask("POST", "/uploads", data=form)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert (reply.status, grown < 16) == (201, True), grown


async def test_a_form_without_a_file_says_what_is_missing(chen: Caller):
    form = aiohttp.FormData()
    form.add_field("words", "没有文件", content_type="text/plain; charset=utf-8")
    reply = await chen.ask("POST", "/uploads", data=form)
    assert (reply.status, reply.code) == (400, "bad_request")


async def test_a_body_that_breaks_off_leaves_nothing(town: Town, chen: Caller):
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + picture()[:-9]
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = await chen.ask("POST", "/uploads", data=head, headers=kind)
    assert (reply.status, stored(town), await Upload.all().count()) == (400, [], 0)


async def test_a_name_that_no_file_can_have_does_no_harm(town: Town, chen: Caller):
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="../a\0\x1b[31m.jpg"\r\n\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = await chen.ask("POST", "/uploads", data=head + picture() + b"\r\n--b--\r\n", headers=kind)
    assert reply.status == 201 or (reply.status, stored(town)) == (400, [])
    assert [path.name for path in stored(town)] == [path.stem + ".jpg" for path in stored(town)]


async def test_who_is_not_signed_in_sends_nothing(town: Town, sign_in: SignIn):
    reply = await send(await sign_in(), picture())
    assert (reply.status, stored(town)) == (401, [])


async def test_files_are_handed_out_as_files_and_never_as_pages(town: Town, chen: Caller):
    shown = await opened(chen, town, (await send(chen, picture())).json["url"])
    assert shown.status == 200
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Disposition"].startswith("attachment; filename=")
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert shown.headers["Cache-Control"].startswith("private")


async def test_an_address_that_was_changed_or_is_old_opens_nothing(town: Town, chen: Caller):
    own, other = [(await send(chen, picture(colour=colour))).json for colour in ("red", "blue")]
    url = own["url"]
    forged = [
        url.replace(own["id"].replace("-", ""), other["id"].replace("-", "")),
        url.replace("until=", "until=1"),
        url.replace("who=resident", "who=staff"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.split("&sign=")[0],
        url.split("?")[0],
        url.split("?")[0] + "?until=99999999999999999999",
    ]
    assert [(await opened(chen, town, one)).status for one in forged[:-1]] == [404] * 6
    assert (await opened(chen, town, forged[-1])).status in (400, 404)
    town.clock.advance(timedelta(minutes=21))
    assert (await opened(chen, town, url)).status == 404


async def test_paths_lead_nowhere(town: Town, chen: Caller):
    for name in ("..%2f..%2fetc%2fpasswd", "....//", "u" + "0" * 31 + "%2e", "a0", "a-1", "m999999999", "a999999999"):
        assert (await chen.get(f"/files/{name}")).status in (400, 404), name


async def test_others_neither_see_nor_use_a_file_that_is_not_theirs(town: Town, chen: Caller, sign_in: SignIn):
    await town.say(WANG, "你好")
    mine = (await send(chen, picture())).json
    wang = await sign_in(WANG)
    links = await wang.post("/files/links", {"names": [f"u{mine['id'].replace('-', '')}"]})
    assert (links.status, links.json["items"]) == (200, [])
    used = await wang.post("/patrols", {"text": "3栋2单元楼道灯坏了", "uploads": [mine["id"]]})
    assert (used.status, used.code) == (404, "not_found")
    own = await chen.post("/files/links", {"names": [f"u{mine['id'].replace('-', '')}", "a1", "m1"]})
    assert [one["name"] for one in own.json["items"]] == [f"u{mine['id'].replace('-', '')}"]


async def test_what_nobody_used_is_forgotten_after_two_days_and_what_a_case_shows_stays(town: Town, chen: Caller):
    unused, used = [(await send(chen, picture(colour=colour))).json for colour in ("red", "blue")]
    await chen.post("/cases", {"text": "3栋2单元楼道灯坏了", "uploads": [used["id"]], "anonymous": True})
    assert await drop_unused(town.services.media, town.clock() + timedelta(days=1)) == 0
    assert await drop_unused(town.services.media, town.clock() + timedelta(days=3)) == 1
    assert [str(upload.id) for upload in await Upload.all()] == [used["id"]]
    assert [path.stem for path in stored(town)] == [used["id"].replace("-", "")]
    assert unused["id"] != used["id"]


async def test_what_a_dead_process_left_half_written_goes_too(town: Town, chen: Caller):
    kept = town.services.media / (await Upload.get(id=(await send(chen, picture())).json["id"])).path
    half = kept.with_name("0" * 32 + ".part")
    half.write_bytes(b"\xff\xd8\xff")
    assert await drop_unused(town.services.media, town.clock()) == 0
    assert await drop_unused(town.services.media, town.clock() + timedelta(days=2)) == 1
    assert (half.exists(), kept.exists()) == (False, True)


async def test_the_sixty_first_file_of_an_hour_has_to_wait(town: Town, chen: Caller):
    statuses = [(await send(chen, b"nothing")).status for _ in range(61)]
    assert (statuses[:60], statuses[60]) == ([400] * 60, 429)
