"""Voice recordings: whatever comes in is read as sound from end to end, or refused; never anything else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.voices import READERS, Data, NotSoundError, Sound
from tests.api.files import amr, m4a, mp3, wav

WHOLE = {"audio/amr": amr(20), "audio/mpeg": mp3(20), "audio/wav": wav(0.2), "audio/mp4": m4a()}


def kept(sound: Sound) -> bytes:
    return b"".join(bytes(piece) for piece in sound.pieces)


def read(reader: Callable[[Data], Sound], content: bytes) -> bytes | None:
    """What is kept of it; None when it is refused."""
    try:
        return kept(reader(memoryview(content)))
    except NotSoundError:
        return None


@pytest.mark.parametrize("kind", list(READERS))
def test_what_is_kept_is_read_the_same_way_again(kind: str):
    once = read(READERS[kind], WHOLE[kind])
    assert once is not None
    assert read(READERS[kind], once) == once


@pytest.mark.parametrize("kind", list(READERS))
@given(content=st.binary(max_size=300))
def test_random_bytes_behind_the_first_are_refused_or_read(kind: str, content: bytes):
    given_ = WHOLE[kind][:12] + content
    found = read(READERS[kind], given_)
    assert found is None or len(found) <= len(given_) + 8


@pytest.mark.parametrize("kind", list(READERS))
@given(data=st.data())
def test_a_changed_byte_is_refused_or_read(kind: str, data: st.DataObject):
    content = bytearray(WHOLE[kind])
    at = data.draw(st.integers(0, min(len(content), 400) - 1))
    content[at] = data.draw(st.integers(0, 255))
    found = read(READERS[kind], bytes(content))
    assert found is None or len(found) <= len(content) + 8


@pytest.mark.parametrize("kind", list(READERS))
@given(end=st.integers(0, 200))
def test_a_recording_that_breaks_off_is_refused_or_ends_with_a_whole_frame(kind: str, end: int):
    found = read(READERS[kind], WHOLE[kind][:end])
    if found is not None:
        assert read(READERS[kind], found) == found
