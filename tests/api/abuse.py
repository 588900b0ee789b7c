"""What nobody of good will sends, made for any route, and how a refusal must look."""

from __future__ import annotations

import json
from collections.abc import Iterator

from models.database import fetch
from tests.api.caller import Reply

#: Texts that other programs take for something else than text.
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>\"'&amp;",
    "]]></Content><MsgType>event</MsgType>",
    "javascript:alert(1)//",
    "${jndi:ldap://x/a} {{7*7}} %s %00",
    "'; DROP TABLE room_message; --",
    '=HYPERLINK("http://x")',
    "灯\u202e坏了\u2066反\u2069",
    "响铃\x07退格\x08转义\x1b[31m红\x7f\x9b",
    "回车\r换行\x0b换页\x0c",
)

#: What is taken out of them: nobody sees it, and it turns around or overwrites what does stand there.
UNSEEN = {
    *map(chr, range(32)),
    *map(chr, range(0x7F, 0xA0)),
    *map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
}


def bodies(name: str) -> Iterator[tuple[str, bytes]]:
    """Bodies no JSON route may read, around one of its fields."""
    yield "10,000 lists deep", f'{{"{name}": {"[" * 10_000}{"]" * 10_000}}}'.encode()
    yield "10,000 objects deep", f'{{"{name}": {chr(123) + chr(34) + "a" + chr(34) + ":"}'.encode() * 5_000
    yield "1e400", f'{{"{name}": 1e400}}'.encode()
    yield "the same name twice", f'{{"{name}": "a", "{name}": "b"}}'.encode()
    yield "half a character", f'{{"{name}": "\\ud800"}}'.encode()
    yield "the halves the wrong way round", f'{{"{name}": "\\udc00\\ud800"}}'.encode()
    yield "an escaped NUL", f'{{"{name}": "a\\u0000"}}'.encode()
    yield "another encoding", json.dumps({name: "灯坏了"}, ensure_ascii=False).encode("gbk")
    yield "6,000 names", b"{" + b",".join(b'"%d":1' % number for number in range(6_000)) + b"}"
    yield "64 KiB and more", b'{"%s": "%s"}' % (name.encode(), b"a" * 65_536)


async def rows() -> dict[str, int]:
    """How many rows each table has. An attempt that is refused leaves its row in the audit trail as refused: not
    counted."""
    counted = {}
    for table in await fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"):
        where = " WHERE allowed" if table["name"] == "audit_event" else ""
        sql = f"SELECT count(*) AS n FROM {table['name']}{where}"  # noqa: S608 - names of our tables
        counted[table["name"]] = (await fetch(sql))[0]["n"]
    return counted


def faults(reply: Reply, *statuses: int) -> list[str]:
    """What is wrong with a refusal; nothing for one in the one shape of errors."""
    said = reply.json["error"] if isinstance(reply.json, dict) and "error" in reply.json else {}
    wrong = {
        f"status {reply.status}": reply.status not in statuses,
        f"has {sorted(said)}": not {"code", "say", "request_id"}
        <= set(said)
        <= {"code", "say", "request_id", "fields"},
        f"says {said.get('say')}": not str(said.get("say", "")).endswith("。"),
        "another request id": said.get("request_id") != reply.headers.get("X-Request-Id"),
    }
    return [what for what, is_so in wrong.items() if is_so]
