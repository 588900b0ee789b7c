"""志愿时长 over the API: one's account, its correction by staff, certificates and their check by everybody."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated

from aiohttp import web
from pydantic import Field

from domain import certificate_picture, certificates, volunteers
from domain.consents import need
from errors import BadRequest
from miniapp_api.activity_shapes import (
    CertificateInfo,
    CheckedInfo,
    TimeAccount,
    account_of,
    certificate_of,
    checked_of,
)
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from models.enums import Purpose

routes = Routes("volunteers")


class ShiftPath(Body):
    """A sign-up for a shift."""

    booking_id: Id


class CertificatePath(Body):
    """A certificate by its number."""

    number: Annotated[str, Field(min_length=1, max_length=20)]


class Correction(Body):
    """Minutes to be added, or taken back where below 0; `why` is told to who gave them."""

    minutes: Annotated[int, Field(ge=-1440, le=1440)]
    why: Annotated[str, Field(min_length=1, max_length=60)]


class NewCertificate(Body):
    """The name as it is to be printed. From and to which day; all days where they are left out. `send`: as a picture in
    the chat too."""

    name: Annotated[str, Field(min_length=2, max_length=32)]
    first: date | None = None
    last: date | None = None
    send: bool = False


class Certificates(Body):
    """One's own, the newest first."""

    items: list[CertificateInfo]


@routes.get("/volunteer-time", rule="volunteer:read")
async def account(call: Call, query: Page) -> TimeAccount:
    """The caller's volunteer time."""
    place = unseal(call, "volunteer time", query.cursor)
    found = await volunteers.my_time(call.person, before=place[0] if place else 0, limit=query.limit)
    full = len(found.rows) == query.limit
    return account_of(found, seal(call, "volunteer time", [found.rows[-1].id]) if full else "")


@routes.post("/bookings/{booking_id}/volunteer-time", rule="volunteer:correct", errors=(409,))
async def correct(call: Call, path: ShiftPath, body: Correction) -> TimeAccount:
    """Add minutes for a shift, or take some back; gives the volunteer's totals."""
    why = body.why
    return account_of(
        await volunteers.correct(call.person, path.booking_id, body.minutes, why, call.now, source=call.source)
    )


@routes.get("/certificates", rule="volunteer:read")
async def list_certificates(call: Call) -> Certificates:
    """The caller's certificates."""
    return Certificates(items=[certificate_of(one) for one in await certificates.my_certificates(call.person)])


@routes.post("/certificates", rule="certificate:make", status=201, errors=(409,))
async def make(call: Call, body: NewCertificate) -> CertificateInfo:
    """A certificate of the caller's volunteer time."""
    await need(call.person, Purpose.SERVICE)
    if body.first and body.last and body.last < body.first:
        raise BadRequest("days", say="结束日期要在开始日期之后。")
    made = await certificates.make_certificate(
        call.person, body.name, call.now, first=body.first, last=body.last, send=body.send, source=call.source
    )
    return certificate_of(made)


@routes.get("/certificates/{number}", rule="certificate:check")
async def check(_call: Call, path: CertificatePath) -> CheckedInfo:
    """Whether there is such a certificate, and what stands on it; the name masked."""
    return checked_of(await certificates.check_certificate(path.number))


@routes.get("/certificates/{number}/picture", rule="certificate:read", media_type="image/png")
async def picture(call: Call, path: CertificatePath) -> web.StreamResponse:
    """One of the caller's own, to be printed."""
    found = await certificates.own_certificate(call.person, path.number)
    drawn = await asyncio.to_thread(certificate_picture.draw, found, call.desk.public_url)
    headers = {"Content-Disposition": f'attachment; filename="{found.number}.png"'}
    return web.Response(body=drawn, content_type="image/png", headers=headers)
