"""Passwords of the console: argon2id, and which ones are no use.

Lengths and the list of what everybody tries instead of rules about signs: NIST SP 800-63B §5.1.1.
"""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from errors import BadRequest

SHORTEST, LONGEST = 10, 128
_HASHER = PasswordHasher()
#: Somebody unknown is compared with this: how long the answer takes says nothing.
_NOBODY = _HASHER.hash("nobody has this password")
#: What is tried first, without digits and signs at the ends.
_COMMON = re.compile(
    "password|passw0rd|qwerty|qwertyuiop|asdfghjkl|admin|administrator|letmein|welcome|iloveyou|abc|abcdef|abcdefg|"
    "woaini|linli|weilinli|wanggeyuan|shequ|jiedao"
)


def check_new(password: str, *known: str) -> None:
    """Whether a new password will do; `known`: what everybody knows of its owner. Raises BadRequest with the reason."""
    if len(password) < SHORTEST:
        raise _poor(f"密码至少 {SHORTEST} 位。可以用几个不相干的词连起来，好记又难猜。")
    if len(password) > LONGEST:
        raise _poor(f"密码最多 {LONGEST} 位。")
    folded = password.casefold()
    if len(set(folded)) < 4 or _COMMON.fullmatch(folded.strip("0123456789!@#$%^&*._-")) or _runs(folded):
        raise _poor("这个密码太常见，一猜就中。请换一个，比如几个不相干的词连起来。")
    if any(word and len(word) > 2 and word.casefold() in folded for word in known):
        raise _poor("密码里不要有自己的工号、姓名或电话。请换一个。")


def _runs(folded: str) -> bool:
    """1234567890, abcdefghij, 0987654321: one step at a time all along."""
    steps = {ord(second) - ord(first) for first, second in pairwise(folded)}
    return steps in ({1}, {-1}, {1, -9}, {-1, 9})


def _poor(say: str) -> BadRequest:
    return BadRequest("new password", say=say)


async def hash_password(password: str) -> str:
    """What is stored. In a thread: it is meant to take time."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def fits(stored: str | None, password: str) -> bool:
    """Whether this is the password; takes as long for somebody unknown (None)."""

    def compare() -> bool:
        try:
            return _HASHER.verify(stored or _NOBODY, password) and stored is not None
        except (VerifyMismatchError, InvalidHashError):
            return False

    return await asyncio.to_thread(compare)
