"""What must be read again but not from a copy of the database: sealed with a key of the installation (AES-256-GCM)."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from errors import Unavailable

_NONCE = 12


def _cipher(key: bytes, purpose: str) -> AESGCM:
    return AESGCM(sha256(b"linli seal\0" + purpose.encode() + b"\0" + key).digest())


def seal(key: bytes, purpose: str, text: str) -> str:
    """The text as it is stored. `purpose` keeps what is sealed for one use from being read in another."""
    nonce = secrets.token_bytes(_NONCE)
    return urlsafe_b64encode(nonce + _cipher(key, purpose).encrypt(nonce, text.encode(), None)).decode()


def unseal(key: bytes, purpose: str, sealed: str) -> str:
    """The text again. Raises Unavailable where the key is another one than it was sealed with."""
    try:
        raw = urlsafe_b64decode(sealed)
        return _cipher(key, purpose).decrypt(raw[:_NONCE], raw[_NONCE:], None).decode()
    except (ValueError, InvalidTag):
        detail = f"what was sealed for {purpose} does not open: LINLI_SECRET_KEY has changed"
        raise Unavailable(detail, say="系统密钥换过了，请联系管理员重新设置动态码。") from None
