"""What a platform remembers over a restart."""

from dataclasses import replace
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from simulator import PLATFORM, Platform, SimulatorConfig, create_app
from tests.simulator.simulator_stage import APPID, CHEN, Stage


def kept(stage: Stage, folder: Path) -> SimulatorConfig:
    return replace(stage.platform.config, state_file=folder / "simulator.json")


async def test_chats_codes_consents_menu_tokens_and_photos_survive(stage: Stage, tmp_path: Path) -> None:
    config, now = kept(stage, tmp_path), stage.clock
    stage.callback.always('收到 <a href="weixin://bizmsgmenu?msgmenucontent=好&msgmenuid=1">好</a>')
    async with Platform(config, now=now) as before:
        await before.send(CHEN, "image", data=b"\xff\xd8\xffmine")
        await before.send("o_another", "location", latitude=30.5, longitude=114.3, label="东门")
        await before.subscribe_consent(CHEN, "sub_case_progress")
        before.menu.create({"button": [{"type": "click", "name": "说事", "key": "report"}]})
        code = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "grid-7"}}}
        before.qrcodes.create(code, now())
        token = before.tokens.issue_stable(APPID, now())["access_token"]
    async with Platform(config, now=now) as after:
        assert after.history(CHEN) == before.history(CHEN)
        assert after.history("o_another") == before.history("o_another")
        assert after.menu.get() == before.menu.get()
        assert after.qrcodes.alive(now()) == before.qrcodes.alive(now())
        assert after.tokens.check(token, now()) == APPID
        assert after.quota.left(CHEN, now()) == 5
        assert after.consents.left(CHEN, next(iter(after.subscriptions))) == 1
        photo = after.media.get(after.history(CHEN)[0].media_id, now())
        assert after.media.read(photo) == b"\xff\xd8\xffmine"
        assert after.next_id() > before.last_id
        assert after.tokens.issue_stable(APPID, now())["access_token"] == token


async def test_a_damaged_state_file_is_set_aside(stage: Stage, tmp_path: Path) -> None:
    config = kept(stage, tmp_path)
    for damaged in ('{"version": 1, "phones"', '{"version": 99}'):
        (tmp_path / "simulator.json").write_text(damaged, encoding="utf-8")
        async with Platform(config) as platform:
            assert platform.history(CHEN) == []
        assert (tmp_path / "simulator.broken").read_text(encoding="utf-8") == damaged


async def test_a_restart_takes_the_names_from_the_settings(stage: Stage, tmp_path: Path) -> None:
    config = kept(stage, tmp_path)
    async with Platform(config):
        pass
    renamed = replace(config, demo=[{"openid": CHEN, "name": "陈奶奶", "role": "居民"}])
    async with Platform(renamed) as platform:
        assert platform.phones.on_page()[0].name == "陈奶奶"


async def test_an_application_opens_and_closes_its_own_platform(stage: Stage, tmp_path: Path) -> None:
    app = create_app(kept(stage, tmp_path))
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/")).status == 200
        await app[PLATFORM].send(CHEN, text="在吗")
    assert (tmp_path / "simulator.json").is_file()


async def test_message_ids_of_two_lives_do_not_meet(stage: Stage) -> None:
    lives = [Platform(stage.platform.config).next_id() for _ in range(50)]
    assert len(set(lives)) == 50
    assert min(lives) > 2**53


async def test_media_past_their_time_make_room(stage: Stage) -> None:
    old = stage.platform.media.add("image", b"\xff\xd8\xffold", stage.clock())
    stage.clock.forward(days=3)
    stage.platform.media.add("image", b"\xff\xd8\xffnew", stage.clock())
    assert stage.platform.media.find(old.media_id) is None
