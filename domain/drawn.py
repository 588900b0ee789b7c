"""Pictures in notices that are drawn when they are sent, from what is so then: nothing of them is stored.

A notice names one among its `images` as `drawn:<kind>:<key>`. A kind is a row of `_DRAWERS`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from domain import certificate_picture, certificates, survey_results
from errors import NotFound

DRAWN = "drawn:"
"""Before the name, where files have `upload:`."""


async def _certificate(number: str, base: str) -> bytes:
    certificate = await certificates.find_certificate(number)
    return await asyncio.to_thread(certificate_picture.draw, certificate, base)


#: Each gets the key and the address residents reach us at.
_DRAWERS: Mapping[str, Callable[[str, str], Awaitable[bytes]]] = {
    "certificate": _certificate,
    "survey": survey_results.draw_whole,
}


async def draw(name: str, base: str) -> bytes:
    """The PNG of `kind:key`. Raises NotFound for what is not there (any more), Unavailable without a font."""
    kind, _, key = name.partition(":")
    if kind not in _DRAWERS:
        raise NotFound(f"no pictures of kind {kind[:20]!r}")
    return await _DRAWERS[kind](key, base)
