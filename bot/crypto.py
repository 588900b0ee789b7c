"""Signatures and message encryption of the WeChat callback (AES-256-CBC, PKCS#7 over 32-byte blocks).

wechatpy's cipher and padding are used as they are. Its `PrpCrypto.decrypt` and `WeChatCrypto` are not: they
do not check the padding bytes or the length field, raise a different exception for every kind of broken
input (which tells an attacker where it broke), compare signatures with `!=`, accept an empty token, know one
key only, and draw the random prefix from a non-cryptographic generator without repetition.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from wechatpy.crypto.base import WeChatCipher
from wechatpy.crypto.pkcs7 import PKCS7Encoder

from bot.wire import cdata
from errors import BadMessage, BadSignature, SettingsError

BLOCK = 32
RANDOM = 16
HEAD = RANDOM + 4
"""Bytes before the message: the random prefix and the message's length, big-endian."""


def signature(token: str, *parts: str) -> str:
    """SHA-1 of the sorted parts joined, the token among them: `signature` over (timestamp, nonce) and
    `msg_signature` over (timestamp, nonce, Encrypt)."""
    # A query may carry bytes that are not UTF-8; they must lead to a wrong signature, not to an exception.
    encoded = sorted(part.encode("utf-8", "surrogatepass") for part in (token, *parts))
    return hashlib.sha1(b"".join(encoded), usedforsecurity=False).hexdigest()


def check_signature(expected: str, token: str, *parts: str) -> None:
    """Refuse what was not signed with our token. An empty token signs nothing: everybody knows it.

    Raises BadSignature.
    """
    given = expected.encode("utf-8", "surrogatepass")
    if not token or not given or not hmac.compare_digest(given, signature(token, *parts).encode()):
        raise BadSignature("signature does not match")


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted message, with the index of the key that opened it: the answer is sealed with the same
    one."""

    body: bytes
    key: int


class Cryptor:
    """Opens and seals messages of one account. Safe to share between tasks."""

    def __init__(self, appid: str, token: str, aes_keys: Sequence[str]) -> None:
        """`aes_keys`: EncodingAESKeys of 43 characters, the current one first, then the one before it.

        Raises SettingsError for a key of the wrong shape, or for no key at all.
        """
        if not aes_keys:
            raise SettingsError("no EncodingAESKey is set (LINLI_WECHAT_AES_KEY, 43 characters)")
        self._appid = appid.encode()
        self._token = token
        self._ciphers = [WeChatCipher(_aes_key(key)) for key in aes_keys]

    def encrypt(self, body: bytes, *, key: int = 0, random16: bytes | None = None) -> str:
        """The body as WeChat's base64 cipher text. `random16` comes from outside in tests only."""
        prefix = secrets.token_bytes(RANDOM) if random16 is None else random16
        if len(prefix) != RANDOM:
            raise ValueError(f"the random prefix has {len(prefix)} bytes, not {RANDOM}")
        plain = prefix + len(body).to_bytes(4, "big") + body + self._appid
        sealed: bytes = self._ciphers[key].encrypt(PKCS7Encoder.encode(plain))
        return base64.b64encode(sealed).decode()

    def decrypt(self, encrypted: str) -> Opened:
        """The message inside, with any of our keys.

        Raises BadMessage, in the same words whatever was wrong (encoding, padding, length, app id): a
        difference would let an attacker decrypt by trying.
        """
        try:
            raw = base64.b64decode(encrypted.strip(), validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        if len(raw) >= BLOCK and len(raw) % 16 == 0:
            for index, cipher in enumerate(self._ciphers):
                body = self._unpack(cipher.decrypt(raw))
                if body is not None:
                    return Opened(body, index)
        raise BadMessage("cannot decrypt")

    def seal(self, body: bytes, *, timestamp: str, nonce: str, key: int = 0) -> bytes:
        """The XML envelope of an encrypted reply. `timestamp` is our own clock in seconds, `nonce` the
        query's."""
        encrypted = self.encrypt(body, key=key)
        signed = signature(self._token, timestamp, nonce, encrypted)
        return (
            f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>"
            f"<TimeStamp>{int(timestamp)}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
        ).encode()

    def _unpack(self, plain: bytes) -> bytes | None:
        """The message between prefix and app id, or None when any part of the frame is wrong."""
        pad = plain[-1]
        length = int.from_bytes(plain[RANDOM:HEAD], "big")
        end = len(plain) - pad
        # One expression over all conditions: how far a forged text got must not show in the time taken.
        fits = (
            (1 <= pad <= BLOCK)
            & (HEAD + length + len(self._appid) == end)
            & hmac.compare_digest(plain[end:], bytes([pad]) * pad)
            & hmac.compare_digest(plain[max(HEAD, end - len(self._appid)) : max(HEAD, end)], self._appid)
        )
        return plain[HEAD : HEAD + length] if fits else None


def _aes_key(encoded: str) -> bytes:
    """The 32 bytes behind an EncodingAESKey."""
    try:
        key = base64.b64decode(encoded + "=", validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(encoded) != 43 or len(key) != 32:
        raise SettingsError("an EncodingAESKey has 43 letters and digits")
    return key
