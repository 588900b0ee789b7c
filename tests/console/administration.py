"""Administrators at the console, with their second factor."""

from __future__ import annotations

from datetime import timedelta

import pyotp

from domain.console_login import set_code
from domain.people import post_of
from models.console import Administrator
from models.enums import AdminKind
from models.people import Staff
from tests.console.conftest import Desk, give_password, sit_down
from tests.town import Town


async def make_administrator(town: Town, name: str, kind: AdminKind) -> Staff:
    """Somebody of the town is an administrator, password and second factor set."""
    member = await give_password(town, name)
    await Administrator.create(staff_id=member.id, kind=kind, given_by="operator", given_at=town.clock())
    post = await post_of(member.id)
    assert post is not None
    secret = pyotp.random_base32()
    key = town.services.settings.signing_key()
    await set_code(post, secret, pyotp.TOTP(secret).at(town.clock()), key, town.clock())
    town.clock.advance(timedelta(seconds=30))
    return member


async def at_desk(town: Town, desk: Desk, name: str, kind: AdminKind) -> Staff:
    """An administrator who is signed in."""
    member = await make_administrator(town, name, kind)
    await sit_down(town, desk, member)
    return member
