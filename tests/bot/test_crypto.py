"""Signatures and encryption against the platform's own vectors, and everything broken refused in one way."""

import base64
import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto
from wechatpy.crypto.base import WeChatCipher
from wechatpy.utils import check_signature as wechatpy_check

from bot.crypto import Cryptor, check_signature, signature
from bot.wire import encrypted_part, parse_body
from errors import BadMessage, BadSignature, SettingsError

VECTORS = Path(__file__).resolve().parents[2].parent / "shared/facts/wechat_vectors.json"
APPID, TOKEN = "wx1234567890abcdef", "linli-token"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OTHER_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CRYPTOR = Cryptor(APPID, TOKEN, [KEY])


def load(*kinds: str) -> list[Any]:
    if not VECTORS.exists():
        reason = "the platform's vectors (shared/facts/wechat_vectors.json) are not here"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    vectors = json.loads(VECTORS.read_text())["vectors"]
    return [pytest.param(vector, id=vector["id"]) for vector in vectors if vector["kind"] in kinds]


def vector_named(name: str) -> dict[str, Any]:
    if not VECTORS.exists():
        pytest.skip("the platform's vectors (shared/facts/wechat_vectors.json) are not here")
    return next(v for v in json.loads(VECTORS.read_text())["vectors"] if v["id"] == name)


def cryptor_of(vector: dict[str, Any]) -> Cryptor:
    appid = vector.get("appid") or vector["receiveid"]
    return Cryptor(appid, vector["token"], [vector["encoding_aes_key"]])


@pytest.mark.parametrize("vector", load("callback_get_signature", "callback_post_plain"))
def test_platform_signatures_of_plain_requests_hold(vector: dict[str, Any]) -> None:
    check_signature(vector["signature"], vector["token"], vector["timestamp"], vector["nonce"])


@pytest.mark.parametrize("vector", load("callback_post_aes", "encrypted_echostr_wecom_only", "msg_signature"))
def test_platform_signatures_of_encrypted_requests_hold(vector: dict[str, Any]) -> None:
    at = vector.get("query", vector)
    encrypted = vector.get("encrypt") or vector.get("echostr") or vector["body_json"]["Encrypt"]
    check_signature(at["msg_signature"], vector["token"], at["timestamp"], at["nonce"], encrypted)


@pytest.mark.parametrize("vector", load("callback_post_aes", "encrypted_echostr_wecom_only"))
def test_platform_messages_open(vector: dict[str, Any]) -> None:
    encrypted = vector.get("encrypt") or vector.get("echostr") or vector["body_json"]["Encrypt"]
    opened = cryptor_of(vector).decrypt(encrypted)
    assert (opened.body.decode(), opened.key) == (vector["plaintext"], 0)


@pytest.mark.parametrize("vector", load("reply_encrypt"))
def test_our_cipher_text_is_the_platforms_byte_for_byte(vector: dict[str, Any]) -> None:
    encrypted = cryptor_of(vector).encrypt(vector["plaintext"].encode(), random16=vector["random16"].encode())
    assert encrypted == vector["expected_encrypt"]
    if "expected_msg_signature" in vector:
        signed = signature(vector["token"], vector["timestamp"], vector["nonce"], encrypted)
        assert signed == vector["expected_msg_signature"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("easywechat.decrypt", {"msg_signature": "invalid-signature"}),
        ("wechatpy.echostr_encrypted", {"nonce": "437374424"}),
        ("official.secure_post", {"msg_signature": "6c5c811b55cc85e0e1b54100749188c20beb3f5d"}),
    ],
)
def test_platform_negative_signatures_are_refused(name: str, change: dict[str, str]) -> None:
    vector = vector_named(name)
    at = {**vector.get("query", vector), **change}
    encrypted = vector.get("encrypt") or vector.get("echostr") or vector["body_json"]["Encrypt"]
    with pytest.raises(BadSignature):
        check_signature(at["msg_signature"], vector["token"], at["timestamp"], at["nonce"], encrypted)


def test_platform_message_for_another_app_is_refused() -> None:
    vector = vector_named("easywechat.decrypt")
    other = Cryptor("wxb11529c136998cb7", vector["token"], [vector["encoding_aes_key"]])
    with pytest.raises(BadMessage):
        other.decrypt(vector["encrypt"])


def test_a_signature_wechatpy_accepts_is_ours_too() -> None:
    signed = signature(TOKEN, "1700000000", "99")
    wechatpy_check(TOKEN, signed, "1700000000", "99")
    check_signature(signed, TOKEN, "1700000000", "99")


@pytest.mark.parametrize("token", ["", "other-token"])
def test_a_signature_under_another_or_no_token_is_refused(token: str) -> None:
    with pytest.raises(BadSignature):
        check_signature(signature("", "1700000000", "99"), token, "1700000000", "99")


@pytest.mark.parametrize("given_signature", ["", "f" * 40, "签名", "\udcff", "0" * 100_000])
def test_signatures_of_any_shape_are_refused_without_another_error(given_signature: str) -> None:
    with pytest.raises(BadSignature):
        check_signature(given_signature, TOKEN, "17000\udcff", "9\ud800")


@given(st.binary(max_size=500))
def test_what_is_sealed_can_be_opened(body: bytes) -> None:
    opened = CRYPTOR.decrypt(CRYPTOR.encrypt(body))
    assert opened.body == body


def test_a_sealed_reply_opens_with_wechatpy_and_its_signature_holds() -> None:
    sealed = CRYPTOR.seal("<xml>好的</xml>".encode(), timestamp="1700000000", nonce="42")
    fields = parse_body(sealed)
    theirs = WeChatCrypto(TOKEN, KEY, APPID)
    assert (
        theirs.decrypt_message(sealed.decode(), fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"])
        == "<xml>好的</xml>"
    )


def test_wechatpys_cipher_text_opens_with_ours() -> None:
    theirs = WeChatCrypto(TOKEN, KEY, APPID).encrypt_message("你好", "42", "1700000000")
    encrypted = encrypted_part(parse_body(theirs.encode()))
    assert CRYPTOR.decrypt(encrypted or "").body.decode() == "你好"


def test_a_nonce_from_the_query_cannot_break_the_envelope() -> None:
    nonce = "]]></Nonce><Encrypt>x</Encrypt>\x00"
    assert parse_body(CRYPTOR.seal(b"x", timestamp="1", nonce=nonce))["Nonce"] == nonce[:-1]


def test_the_previous_key_still_opens_and_says_so() -> None:
    both = Cryptor(APPID, TOKEN, [OTHER_KEY, KEY])
    opened = both.decrypt(CRYPTOR.encrypt(b"old"))
    assert (opened.body, opened.key) == (b"old", 1)
    answer = parse_body(both.seal(b"reply", timestamp="1", nonce="2", key=opened.key))
    assert CRYPTOR.decrypt(answer["Encrypt"]).body == b"reply"


def raw_seal(plain: bytes) -> str:
    """Cipher text of any frame, right or wrong."""
    return base64.b64encode(WeChatCipher(base64.b64decode(KEY + "=")).encrypt(plain)).decode()


def frame(body: bytes, *, appid: bytes = APPID.encode(), length: int | None = None, pad: bytes | None = None) -> bytes:
    plain = bytes(16) + (len(body) if length is None else length).to_bytes(4, "big") + body + appid
    count = 32 - len(plain) % 32
    return plain + (bytes([count]) * count if pad is None else pad.ljust(count, b"\x01"))


BROKEN = {
    "empty": "",
    "no base64": "!!!",
    "not ASCII": "密文",
    "lone surrogate": "\udcff",
    "half a block": "QUJD",
    "odd length": "QUJDR",
    "random block": secrets.token_hex(32),
    "url-safe alphabet": CRYPTOR.encrypt(b"x" * 300).replace("+", "-").replace("/", "_") + "-",
    "wrong key": Cryptor(APPID, TOKEN, [OTHER_KEY]).encrypt(b"hello"),
    "other app": raw_seal(frame(b"hello", appid=b"wx0000000000000000")),
    "longer app id": raw_seal(frame(b"hello", appid=APPID.encode() + b"0")),
    "no app id": raw_seal(frame(b"hello", appid=b"")),
    "pad 0": raw_seal(frame(b"0123456789", pad=b"\x00" * 40)[:64]),
    "pad 33": raw_seal(frame(b"hello")[:-1] + b"\x21"),
    "pad 255": raw_seal(frame(b"hello")[:-1] + b"\xff"),
    "uneven pad": raw_seal(frame(b"hello", pad=b"\x02")),
    "length too long": raw_seal(frame(b"hello", length=6)),
    "length too short": raw_seal(frame(b"hello", length=4)),
    "length of 4 GB": raw_seal(frame(b"hello", length=2**32 - 1)),
    "cut": raw_seal(frame(b"hello" * 20)[:-32]),
}


@pytest.mark.parametrize("encrypted", BROKEN.values(), ids=BROKEN)
def test_broken_cipher_text_is_refused_in_the_same_words(encrypted: str) -> None:
    with pytest.raises(BadMessage) as refused:
        CRYPTOR.decrypt(encrypted)
    assert (str(refused.value), refused.value.data) == ("cannot decrypt", {})


def words_of(encrypted: str) -> str:
    try:
        CRYPTOR.decrypt(encrypted)
    except BadMessage as error:
        return str(error)
    return "opened"


@given(st.data())
def test_no_changed_byte_gets_through_as_another_error(data: st.DataObject) -> None:
    encrypted = CRYPTOR.encrypt(b"<xml>hello</xml>")
    place = data.draw(st.integers(0, len(encrypted) - 1))
    changed = encrypted[:place] + data.draw(st.characters()) + encrypted[place + 1 :]
    assert words_of(changed) in {"opened", "cannot decrypt"}


@pytest.mark.parametrize("keys", [[], [KEY[:-1]], [KEY + "x"], ["!" * 43], [KEY, ""]])
def test_a_key_of_the_wrong_shape_is_a_settings_error(keys: list[str]) -> None:
    with pytest.raises(SettingsError):
        Cryptor(APPID, TOKEN, keys)
