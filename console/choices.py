"""What somebody chose for the console, kept in cookies from sign-in on: no page has to ask the database for it."""

from __future__ import annotations

from console.frame import Visit
from domain.tours import choice_of

TOUR = "linli_tour"
LARGE = "linli_large"
_YEAR = 31_536_000


def keep(visit: Visit, name: str, *, on: bool) -> None:
    """With the answer."""
    visit.set_cookie(name, "1" if on else "", _YEAR if on else 0)


async def bring(visit: Visit, staff_id: int) -> None:
    """At sign-in: the tour for who has not seen it, letters as they like them."""
    tour, large = await choice_of(staff_id)
    keep(visit, TOUR, on=tour)
    keep(visit, LARGE, on=large)
