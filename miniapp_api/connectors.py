"""What other platforms send us: orders and updates, signed as we sign to them."""

from __future__ import annotations

from typing import Annotated, Self

import orjson
from pydantic import ConfigDict, Field, model_validator

from domain.connectors import find_connector
from domain.inbound import Arrival, News, Order, take_order, take_update
from errors import NotFound
from miniapp_api.kernel import Body, Call, Proof, Routes, Signed
from miniapp_api.signatures import check

routes = Routes("connectors")

_Id = Annotated[str, Field(min_length=1, max_length=64)]
_Address = Annotated[str, Field(max_length=2048)]
_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-90, le=90)]
#: Stands in an answer that was given before.
_Repeated = Annotated[bool, Field(exclude_if=lambda repeated: not repeated)]
_Point = tuple[_Longitude, _Latitude]


class Foreign(Body):
    """What a platform sends that was not written for us: numbers for texts and fields of its own do no harm."""

    model_config = ConfigDict(extra="ignore", strict=False, coerce_numbers_to_str=True, str_strip_whitespace=True)


class PlatformPath(Body):
    """The platform, by the name the operator gave it."""

    name: Annotated[str, Field(max_length=64)]


class Position(Foreign):
    """[longitude, latitude] in one of the two."""

    gcj02: _Point | None = None
    wgs84: _Point | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.gcj02 is None and self.wgs84 is None:
            raise ValueError('必须是 {"wgs84": [经度, 纬度]} 或 {"gcj02": [经度, 纬度]}。')
        return self


class Contact(Foreign):
    """Whom to ask."""

    name: Annotated[str, Field(max_length=100)] | None = None
    phone: Annotated[str, Field(max_length=100)] | None = None


class NewOrder(Foreign):
    """Something a platform wants done. The same `update_id` works once."""

    update_id: _Id
    external_id: Annotated[str, Field(min_length=1, max_length=64, description="the platform's number of the case")]
    category: _Id
    description: Annotated[str, Field(min_length=1, max_length=4000)]
    place: Annotated[str, Field(max_length=200)] | None = None
    position: Position | None = None
    urgent: bool | None = None
    contact: Contact | None = None


class OrderTaken(Body):
    """The case that was made."""

    number: str
    external_id: str
    status: str
    repeated: _Repeated = False


class NewUpdate(Foreign):
    """What a platform says of a case: by our `number`, or by its own `external_id`."""

    update_id: _Id
    status: _Id
    text: Annotated[str, Field(max_length=2000)] | None = None
    number: Annotated[str, Field(max_length=24)] | None = None
    external_id: Annotated[str, Field(max_length=64)] | None = None
    photos: Annotated[list[_Address], Field(max_length=9, description="at the platform's own host")] | None = None

    @model_validator(mode="after")
    def _which(self) -> Self:
        if not self.number and not self.external_id:
            raise ValueError("请写 number（我们的编号）或 external_id（贵方编号）。")
        return self


class UpdateTaken(Body):
    """What the update did."""

    number: str
    verb: str
    status: str
    repeated: _Repeated = False


async def known(call: Call, path: PlatformPath, proof: Proof) -> Signed:
    """The platform that signed. Raises BadSignature, StaleTimestamp."""
    try:
        connector = await find_connector(path.name)
    except NotFound:
        connector = None
    secret = connector.secret if connector and connector.active else None
    check(proof, secret, call.now, f"connector {path.name}")
    return Signed(f"connector:{path.name}"[:40], connector, proof.raw)


def _arrival(call: Call, signer: Signed) -> Arrival:
    return Arrival(signer.who, orjson.loads(signer.raw), call.now)


@routes.post("/connectors/{name}/orders", rule="connector:send", guard=known)
async def order(call: Call, body: NewOrder, signer: Signed) -> OrderTaken:
    """Make a case of a platform's order."""
    position, contact = body.position, body.contact
    point = (position.gcj02 or position.wgs84) if position else None
    taken = Order(
        update_id=body.update_id,
        external_id=body.external_id,
        category=body.category,
        description=body.description,
        place=body.place or "",
        position=(point[1], point[0]) if point else None,
        gcj=bool(position and position.gcj02),
        urgent=bool(body.urgent),
        contact=contact.model_dump(exclude_none=True) if contact else {},
    )
    return OrderTaken(**await take_order(_arrival(call, signer), taken))


@routes.post("/connectors/{name}/updates", rule="connector:send", guard=known, errors=(404,))
async def update(call: Call, body: NewUpdate, signer: Signed) -> UpdateTaken:
    """Carry out what a platform says of a case."""
    news = News(
        update_id=body.update_id,
        status=body.status,
        text=body.text or "",
        number=body.number or "",
        external_id=body.external_id or "",
        photos=body.photos or [],
    )
    within = call.desk.reopen_within
    return UpdateTaken(**await take_update(_arrival(call, signer), news, reopen_within=within))
