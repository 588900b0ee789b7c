"""The examples of docs/rooms.md work as they stand."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from asyncio.subprocess import PIPE

import pytest

from models.accounts import PurposeConsent
from models.enums import Purpose
from models.rooms import RoomMessage
from tests.api.conftest import SignIn
from tests.architecture.test_imports import ROOT
from tests.domain.neighbours import first_room, neighbour
from tests.town import Town


@pytest.mark.skipif(not shutil.which("curl"), reason="the page uses curl")
async def test_the_shell_example_says_something_and_reads_it(town: Town, sign_in: SignIn):
    page = (ROOT / "docs" / "rooms.md").read_text(encoding="utf-8")
    block = re.findall(r"^```sh\n(BASE=.*?)^```$", page, re.MULTILINE | re.DOTALL)[0]
    chen, room = await neighbour("chen", town.clock()), await first_room()
    await PurposeConsent.create(resident_id=chen.resident_id, purpose=Purpose.ROOM, version=1, given_at=town.clock())
    own = {"TOKEN": (await sign_in(chen.openid)).token, "ROOM": str(room.id)}
    script = block.replace("http://127.0.0.1:8080", town.url)
    process = await asyncio.create_subprocess_exec("sh", "-euc", script, env=os.environ | own, stdout=PIPE, stderr=PIPE)
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    assert (await RoomMessage.get(room_id=room.id)).text == "3栋2单元楼道灯坏了"
    assert said.decode().count("3栋2单元楼道灯坏了") == 2
    assert "网格员王芳" in said.decode()
