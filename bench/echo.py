"""The peer of the callback bench: an aiohttp server that verifies, opens and seals the same messages, storing nothing.

It is the most that one process could answer if the work behind the door were free. Run as `python -m bench.echo PORT`.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web

from bench.pushes import AES_KEY, APPID, TOKEN
from bot.crypto import Cryptor, check_signature
from bot.messages import to_message
from bot.replies import text_reply
from bot.wire import encrypted_part, parse_body

_REPLY = "请马上关阀门，开门窗通风。\n已同时通知网格员王芳和社区值班（编号 1120-0037）。\n社区值班电话 027-55503456。"
_cryptor = Cryptor(APPID, TOKEN, [AES_KEY])


async def receive(request: web.Request) -> web.Response:
    """One push: opened, and answered with a sentence of the usual length."""
    query = request.query
    encrypted = encrypted_part(parse_body(await request.read())) or ""
    check_signature(query["msg_signature"], TOKEN, query["timestamp"], query["nonce"], encrypted)
    message = to_message(parse_body(_cryptor.decrypt(encrypted).body))
    reply = text_reply(message, _REPLY, int(query["timestamp"]))
    sealed = _cryptor.seal(reply, timestamp=query["timestamp"], nonce=query["nonce"])
    return web.Response(body=sealed, content_type="application/xml")


async def serve(port: int) -> None:
    """Listen until stopped."""
    app = web.Application()
    app.router.add_post("/wechat/callback", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
