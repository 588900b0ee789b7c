"""Who the API thinks the caller is."""

from __future__ import annotations

from miniapp_api.kernel import Body, Call, Routes

routes = Routes("me")


class Place(Body):
    """A resident's grid and its community."""

    grid_id: int
    grid: str
    community: str
    duty_phone: str


class Duty(Body):
    """A member of staff's post."""

    role: str
    label: str
    area_id: int
    area: str


class Me(Body):
    """The caller."""

    actor: str
    home: Place | None
    post: Duty | None


@routes.get("/me", rule="me:read")
async def me(call: Call) -> Me:
    """Who you are: your grid, your post."""
    home, post = call.person.home, call.person.post
    return Me(
        actor=call.person.actor,
        home=Place(grid_id=home.grid_id, grid=home.grid_name, community=home.community_name, duty_phone=home.duty_phone)
        if home
        else None,
        post=Duty(role=post.role, label=post.label, area_id=post.area_id, area=post.area_name) if post else None,
    )
