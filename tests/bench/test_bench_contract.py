"""`linli bench` as outside tools read it: one JSON object on the last line, with the promised names and true counts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.benches import run_bench
from bench.callback import Queue, Run
from bench.load import Answer, Outcome, Wire
from bench.pushes import account
from bench.stage import BenchFailed, Place
from errors import SettingsError
from tests.bench.conftest import Printed

FIGURES = {
    "messages_per_s",
    "p50_ms",
    "p99_ms",
    "half_rate_per_s",
    "dialogue_messages_per_s",
    "queue_growth_per_s",
    "queue_at_end",
    "queue_drained_s",
    "rss_mb",
    "messages_counted",
    "cases_counted",
}


@pytest.mark.slow
async def test_the_callback_bench_prints_one_json_object_with_the_promised_names(printed: Printed):
    result = await printed("callback", "--seconds", "0.5")
    figures = result["figures"]
    assert figures.keys() == FIGURES
    assert result["peers"].keys() == {"crypto_echo_per_s", "row_commits_per_s"}
    assert all(isinstance(value, int | float) for value in (figures | result["peers"]).values())
    # Each emergency is one message and one case; each dialogue two messages and one case.
    assert 0 < figures["cases_counted"] <= figures["messages_counted"] <= 2 * figures["cases_counted"]
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["half_rate_per_s"] == pytest.approx(figures["messages_per_s"] / 2, abs=0.1)
    for name, peer in result["peers"].items():
        ratio = result["ratios"][f"of_{name.removesuffix('_per_s')}"]
        assert ratio == pytest.approx(figures["messages_per_s"] / peer, abs=0.001)


def test_an_unknown_bench_names_the_known_ones():
    with pytest.raises(SettingsError, match=r"'callbacks'.*callback.*nlp"):
        run_bench("callbacks", as_json=True, seconds=1)


def _run() -> Run:
    return Run(Place("", "", Path()), account(1), db=None, residents=iter(()), seconds=1)


def _sealed(text: str) -> Answer:
    body = f"<xml><Content><![CDATA[{text}]]></Content></xml>".encode()
    return Answer(200, account(1).cryptor.seal(body, timestamp="1", nonce="2"))


def test_every_answer_is_opened_and_the_case_numbers_are_counted():
    promised = Outcome([_sealed("已同时通知网格员（编号 1120-0037）"), _sealed("已同时通知网格员（编号 1120-0038）")])
    assert _run()._check(promised, messages_a_case=1) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(503, b""), "not answered with 200"),
        (Answer(0, b"closed"), "not answered with 200"),
        (_sealed("请再说一遍"), "one without: '请再说一遍'"),
    ],
)
def test_one_wrong_answer_fails_the_bench(answer: Answer, said: str):
    with pytest.raises(BenchFailed, match=said):
        _run()._check(Outcome([_sealed("编号 1120-0037"), answer]), messages_a_case=1)


def test_a_queue_that_grows_steadily_is_seen_whatever_its_beginning():
    assert Queue([(second, 100 + 7 * second) for second in range(20)]).growth == pytest.approx(7)
    assert Queue([(second, 40 * min(second, 5)) for second in range(20)]).growth == pytest.approx(0)


async def test_an_answer_that_comes_in_pieces_is_put_together():
    wire, written = Wire(), []
    wire.connection_made(_Paper(written))
    asking = asyncio.ensure_future(wire.ask(b"POST"))
    await asyncio.sleep(0)
    for piece in (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 6\r\n\r\nsuc", b"ces"):
        wire.data_received(piece)
    assert await asking == Answer(200, b"succes")
    assert written == [b"POST"]


async def test_a_connection_that_breaks_is_an_answer_with_status_0():
    wire = Wire()
    wire.connection_made(_Paper([]))
    asking = asyncio.ensure_future(wire.ask(b"POST"))
    await asyncio.sleep(0)
    wire.connection_lost(None)
    assert (await asking).status == 0
    assert (await wire.ask(b"POST")).status == 0


class _Paper(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self, written: list[bytes]) -> None:
        super().__init__()
        self._written = written

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self._written.append(data)
