"""`linli bench rooms` as outside tools read it, and that a single missing or doubled delivery fails it."""

from __future__ import annotations

import pytest

from bench.fanout import Counter
from bench.members import Crowd, Member
from bench.rooms import Told
from tests.bench.conftest import Printed

BY_SIZE = {"last_member_p50_ms", "last_member_p99_ms", "deliveries_per_s_by_size"}
FIGURES = BY_SIZE | {"deliveries_per_s", "kb_per_socket"}


@pytest.mark.slow
async def test_the_rooms_bench_prints_one_json_object_with_the_promised_names(printed: Printed):
    result = await printed("rooms", "--seconds", "1", "--members", "10,20,30")
    figures, peers = result["figures"], result["peers"]
    assert figures.keys() == FIGURES | {"posts"}
    assert peers.keys() == {f"{peer}_{figure}" for peer in ("bare_loop", "websockets") for figure in FIGURES}
    for name in BY_SIZE:
        for by_size in (figures[name], peers[f"bare_loop_{name}"], peers[f"websockets_{name}"]):
            assert by_size.keys() == {"10", "20", "30"}
            assert all(value > 0 for value in by_size.values())
    for size in ("10", "20", "30"):
        assert figures["last_member_p50_ms"][size] <= figures["last_member_p99_ms"][size]
    assert figures["deliveries_per_s"] == figures["deliveries_per_s_by_size"]["20"]
    for name in ("bare_loop", "websockets"):
        ratio = figures["deliveries_per_s"] / peers[f"{name}_deliveries_per_s"]
        assert result["ratios"][f"of_{name}"] == pytest.approx(ratio, abs=0.01)


def entry(number: int) -> bytes:
    """The frame of an entry, as a server sends it."""
    counter = Counter()
    post = {"id": "1", "room": 1, "message": {"text": "大家好"}}
    return [counter.entry(post)[0] for _ in range(number)][-1].encode()


@pytest.mark.parametrize(
    ("numbers", "faults"),
    [([1, 2, 3], []), ([1, 3], ["3 came after 1"]), ([1, 1], ["1 came after 1"]), ([2, 1], ["2 came after 0"])],
)
async def test_a_missing_or_doubled_entry_is_a_fault(numbers: list[int], faults: list[str]):
    crowd = Crowd()
    member = Member(crowd, "/", "", 1)
    for number in numbers:
        crowd.take(member, entry(number))
    assert crowd.faults[:1] == faults[:1]


async def test_an_entry_has_arrived_when_the_last_member_has_it():
    crowd = Crowd()
    crowd.members = [Member(crowd, "/", "", 1) for _ in range(3)]
    for member in crowd.members[:2]:
        crowd.take(member, entry(1))
    assert 1 not in crowd.complete
    crowd.take(crowd.members[2], entry(1))
    assert await crowd.everybody_has(1) == crowd.complete[1]


async def test_frames_that_come_in_pieces_are_put_together():
    crowd = Crowd()
    member = Member(crowd, "/", "", 1)
    crowd.members = [member]
    frame = entry(1)
    whole = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + bytes([0x81, 126]) + len(frame).to_bytes(2, "big") + frame
    for place in range(0, len(whole), 7):
        member.data_received(whole[place : place + 7])
    assert (member.last, crowd.faults) == (1, [])


def test_percentiles_are_of_the_posts():
    told = Told(10, ways=[number / 1000 for number in range(1, 101)])
    assert (told.percentile_ms(0.5), told.percentile_ms(0.99), told.percentile_ms(1.0)) == (51.0, 100.0, 100.0)
