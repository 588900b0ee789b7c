"""Whether another platform signed what it sent, over the time and the body as they came.

Unknown names and wrong signatures get the same answer, after the same work.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from domain.connectors import signature
from errors import BadSignature, StaleTimestamp
from miniapp_api.kernel import Proof

_WINDOW = timedelta(minutes=5)


def check(proof: Proof, secret: str | None, now: datetime, whose: str) -> None:
    """`secret` None = nobody known. Raises BadSignature, StaleTimestamp; `whose` is for the log."""
    # Something is computed for an unknown name too: how long the answer takes says nothing.
    meant = signature(secret or "", proof.timestamp, proof.raw)
    fits = hmac.compare_digest(meant.encode(), proof.signature.encode(errors="replace"))
    if secret is None or not fits:
        raise BadSignature(whose, say="签名不对，或者没有这个平台。")
    if not proof.timestamp.isascii() or not proof.timestamp.isdigit() or not _is_recent(proof.timestamp, now):
        raise StaleTimestamp(whose, say="时间戳和我们的时间相差超过五分钟，请校准时钟后重新签名。")


def _is_recent(timestamp: str, now: datetime) -> bool:
    return abs(now.timestamp() - int(timestamp[:12])) <= _WINDOW.total_seconds()
