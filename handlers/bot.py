"""The order in which conversations are asked whether a message is theirs."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router, Turn
from domain.journal import audit
from domain.people import find_person
from errors import LinliError
from handlers import (
    absence,
    activities,
    activity_desk,
    amend,
    application_desk,
    applications,
    assessment,
    badges,
    bookings,
    broadcasts,
    contact,
    directory,
    emergency,
    fallback,
    follow_ups,
    form_filling,
    greet,
    households,
    join,
    login,
    moderation,
    my_bookings,
    phrases,
    privacy,
    progress,
    providers,
    quotas,
    rate,
    report,
    room,
    room_cases,
    services,
    similar,
    staff,
    surveys,
    taps,
    teamwork,
    topics,
)
from handlers.chat import Chat, Policy, open_chat

# Order matters. Events, help, cancelling and commands work in every state; then taps of a case; then whatever the
# conversation was about; then the meaning of a free sentence. A stale tap is told so only when nobody wanted it.
_ROUTERS = (
    greet.router,
    login.router,
    privacy.router,
    contact.router,
    emergency.meanwhile,
    form_filling.router,  # what is typed there is an answer, also “0037” or “好了”
    applications.router,
    application_desk.router,
    absence.router,
    assessment.router,
    teamwork.router,
    phrases.router,
    moderation.router,
    quotas.router,
    broadcasts.router,  # a notice that is being written is no command
    badges.router,
    staff.router,
    households.router,
    topics.router,
    surveys.router,
    similar.router,
    join.router,
    rate.router,
    progress.router,
    follow_ups.router,
    room_cases.router,
    room.router,
    activities.router,
    activity_desk.router,
    my_bookings.router,
    bookings.router,
    directory.router,
    services.router,
    providers.router,
    emergency.router,
    amend.router,
    report.router,
)


class Bot:
    """Answers turns. `answer` is the inbox's dispatch, `refused` its audit of what was not allowed."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._router: Router[Chat] = Router("bot")
        self._router.include([*_ROUTERS, _before_fallback(), fallback.router])

    async def answer(self, turn: Turn) -> Reply | None:
        """Run the matching handler. Open choices are forgotten once the conversation moves on."""
        chat = await open_chat(turn, self._policy)
        asked = turn.data.get("choices")
        reply = await self._router.handle(chat)
        if reply is not None and turn.data.get("choices") is asked and chat.tap:
            turn.data.pop("choices", None)
        return reply

    async def refused(self, turn: Turn, error: LinliError) -> None:
        """A refused attempt is audited with who tried what on what."""
        if tag := error.data.get("tag"):
            person = await find_person(turn.message.openid, turn.now)
            await audit(
                person.actor,
                str(tag),
                error.data.get("object_id"),
                turn.now,
                allowed=False,
                source=f"inbox:{turn.inbox_id}",
            )


def _before_fallback() -> Router[Chat]:
    """Stale taps stand before free sentences: an old button's label is no sentence. Fallback's own states go first."""
    router: Router[Chat] = Router("stale")
    for route in taps.router.routes:
        router.on(lambda chat: chat.state not in ("unsure", "question"), *route.filters)(route.handler)
    return router
