"""What is said in groups on other platforms, signed by whatever reads the group for us, as connectors sign."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain.groups import GroupMessage, find_group, take_message
from domain.room_words import LONGEST
from errors import NotFound
from miniapp_api.connectors import Foreign
from miniapp_api.kernel import Body, Call, Proof, Routes, Signed
from miniapp_api.signatures import check
from models.enums import MessageState

routes = Routes("groups")

_Id = Annotated[str, Field(min_length=1, max_length=64)]


class GroupPath(Body):
    """The group, by the name the operator gave it."""

    name: Annotated[str, Field(max_length=64)]


class Sender(Foreign):
    """Who wrote it. `id` (WeCom: userid) is mentioned when they are answered; `name` is what neighbours read."""

    id: Annotated[str, Field(max_length=64)] = ""
    name: Annotated[str, Field(max_length=64)] = ""


class NewGroupMessage(Foreign):
    """Something said in the group. The same `message_id` works once."""

    message_id: _Id
    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    sender: Sender = Sender()
    reply_to: Annotated[str | None, Field(max_length=64, description="`message_id` of the message it answers")] = None


class GroupMessageTaken(Body):
    """What it became: its number in the room, null while others do not see it (see `state`)."""

    seq: int | None
    state: MessageState
    repeated: bool


async def known(call: Call, path: GroupPath, proof: Proof) -> Signed:
    """The group whose key signed. Raises BadSignature, StaleTimestamp."""
    try:
        link = await find_group(path.name)
    except NotFound:
        link = None
    secret = link.secret if link and link.active else None
    check(proof, secret, call.now, f"group {path.name}")
    return Signed(f"group:{link.id if link else 0}", link, proof.raw)


@routes.post("/groups/{name}/messages", rule="group:send", guard=known)
async def take(call: Call, body: NewGroupMessage, signer: Signed) -> GroupMessageTaken:
    """Put what was said in a group into its room."""
    said = GroupMessage(body.message_id, body.text, body.sender.id, body.sender.name, body.reply_to or "")
    taken = await take_message(signer.who, said, call.now)
    return GroupMessageTaken(seq=taken.entry.seq, state=taken.entry.state, repeated=taken.repeated)
