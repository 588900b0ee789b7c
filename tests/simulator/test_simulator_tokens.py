"""Access tokens: two families, renewal, and the refusals of bad ones."""

from typing import Any

from tests.simulator.simulator_stage import APPID, SECRET, Stage

IPS = "/cgi-bin/getcallbackip"


async def classic(stage: Stage) -> str:
    answer = await stage.api.get("/cgi-bin/token", grant_type="client_credential", appid=APPID, secret=SECRET)
    assert answer["expires_in"] == 7200
    return str(answer["access_token"])


async def stable(stage: Stage, **more: Any) -> tuple[str, int]:
    body = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET, **more}
    answer = await stage.api.post("/cgi-bin/stable_token", body)
    return str(answer["access_token"]), int(answer["expires_in"])


async def verdict(stage: Stage, token: str) -> int:
    stage.api.token = token
    return int((await stage.api.get(IPS)).get("errcode", 0))


async def test_a_second_classic_token_kills_the_first_after_five_minutes(stage: Stage) -> None:
    first = await classic(stage)
    second = await classic(stage)
    stage.clock.forward(minutes=5, seconds=-1)
    assert [await verdict(stage, first), await verdict(stage, second)] == [0, 0]
    stage.clock.forward(seconds=1)
    assert [await verdict(stage, first), await verdict(stage, second)] == [40001, 0]


async def test_a_stable_token_stays_the_same_until_its_last_five_minutes(stage: Stage) -> None:
    first, _ = await stable(stage)
    stage.clock.forward(seconds=7200 - 301)
    assert await stable(stage) == (first, 301)
    stage.clock.forward(seconds=1)
    second, seconds = await stable(stage)
    assert (second != first, seconds) == (True, 7200)
    assert [await verdict(stage, first), await verdict(stage, second)] == [0, 0]
    stage.clock.forward(seconds=300)
    assert [await verdict(stage, first), await verdict(stage, second)] == [42001, 0]


async def test_renewing_in_one_family_kills_nothing_in_the_other(stage: Stage) -> None:
    kept, _ = await stable(stage)
    await classic(stage)
    await classic(stage)
    stage.clock.forward(minutes=6)
    assert await verdict(stage, kept) == 0


async def test_a_forced_renewal_kills_at_once_but_not_within_30_seconds(stage: Stage) -> None:
    first, _ = await stable(stage)
    second, _ = await stable(stage, force_refresh=True)
    assert [await verdict(stage, first), await verdict(stage, second)] == [40001, 0]
    stage.clock.forward(seconds=29)
    assert (await stable(stage, force_refresh=True))[0] == second
    stage.clock.forward(seconds=1)
    assert (await stable(stage, force_refresh=True))[0] != second


async def test_twenty_forced_renewals_a_day_and_no_more(stage: Stage) -> None:
    tokens = set()
    for _ in range(20):
        tokens.add((await stable(stage, force_refresh=True))[0])
        stage.clock.forward(seconds=30)
    assert len(tokens) == 20
    assert (await stable(stage, force_refresh=True))[0] in tokens


async def test_bad_tokens_are_told_apart(stage: Stage) -> None:
    assert await verdict(stage, "") == 41001
    assert await verdict(stage, "short") == 40014
    assert await verdict(stage, "60_" + "x" * 133) == 40001
    stage.api.token = "60_" + "x" * 133
    answer = await stage.api.get(IPS)
    assert answer["errmsg"].startswith("invalid credential, access_token is invalid or not latest")
    assert " rid: " in answer["errmsg"]


async def test_wrong_accounts_get_no_token(stage: Stage) -> None:
    async def ask(**query: str) -> int:
        return int((await stage.api.get("/cgi-bin/token", **query))["errcode"])

    good = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
    assert await ask(**{**good, "appid": "wx0", "grant_type": "x"}) == 40013
    assert await ask(**{**good, "grant_type": "x"}) == 40002
    assert await ask(**{**good, "secret": "wrong"}) == 40125
    assert (await stage.api.post("/cgi-bin/stable_token", {**good, "secret": "wrong"}))["errcode"] == 40125


async def test_a_switch_makes_every_token_run_out(stage: Stage) -> None:
    token = await classic(stage)
    stage.platform.tokens.expire_all(stage.clock())
    assert await verdict(stage, token) == 42001


async def test_unknown_paths_and_wrong_methods_are_refused_with_http_200(stage: Stage) -> None:
    assert (await stage.api.get("/cgi-bin/nothing"))["errcode"] == 40066
    assert (await stage.api.get("/cgi-bin/menu/create"))["errcode"] == 43002
    assert (await stage.api.post("/cgi-bin/menu/get", {}))["errcode"] == 43001
