"""The platform itself, independent of HTTP: phones on one side, the account's API on the other, pushes in
between."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from random import Random, SystemRandom
from types import TracebackType
from typing import Any, Final, Self

from errors import BadRequest, Conflict
from simulator import samples
from simulator.answers import FAULT_LINE
from simulator.arrivals import Arrivals
from simulator.calls import CallCounter
from simulator.codes import Codes, Purpose
from simulator.config import Person, SimulatorConfig
from simulator.courier import Courier, Delivery, Verification
from simulator.faults import Faults
from simulator.feed import Feed
from simulator.journal import Journal, Note
from simulator.mass import MassBook
from simulator.media import MediaShelf
from simulator.media_checks import MediaChecks
from simulator.memory import collect, restore
from simulator.menus import Menu
from simulator.notices import Catalogue, Consents, ReentryGuard
from simulator.phones import PUSHED, Bubble, Phone, Phones
from simulator.pushes import ANSWERED_EVENTS, MENU_EVENTS, bubble_of, event_fields, message_fields, trigger_of
from simulator.qrcodes import QrCodes
from simulator.quotas import QuotaLedger
from simulator.replies import bubble_of_reply
from simulator.robot import Robot
from simulator.state import StateFile
from simulator.tokens import TokenBook

LATER: Final = 10_000
"""Events waiting to be pushed in the background at most."""
LATER_AT_ONCE: Final = 32
STORED_AS: Final = {
    "image": "image",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "miniprogrampage": "image",
}
"""Message types with a medium, and the media type it is kept as."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Platform:
    """One simulated WeChat with one official account. Several may live in one process and share nothing.

    Use it as an async context manager. `now` and `random` come from outside where a test needs them fixed.
    """

    def __init__(
        self,
        config: SimulatorConfig,
        *,
        now: Callable[[], datetime] = _utc_now,
        random: Random | None = None,
    ) -> None:
        self.config = config
        self.now = now
        self.random = random or SystemRandom()
        self.faults = Faults()
        self.feed = Feed()
        self.journal = Journal(self.feed)
        self.phones = Phones()
        self.quota = QuotaLedger()
        self.tokens = TokenBook(config.secrets, self.random)
        self.calls = CallCounter()
        self.templates = Catalogue("template")
        self.subscriptions = Catalogue("subscription")
        self.consents = Consents()
        self.reentry = ReentryGuard()
        self.mass = MassBook()
        self.menu = Menu()
        self.qrcodes = QrCodes(self.random)
        folder = config.state_file.with_suffix(".media") if config.state_file else None
        self.media = MediaShelf(folder)
        self.codes = Codes(self.random)
        self.courier = Courier(config, self.faults, now, self.random)
        self.media_checks = MediaChecks(config, self.faults, now, self.random)
        self.robot = Robot(now)
        self.closing = asyncio.Event()
        self.state = StateFile(config.state_file, functools.partial(collect, self))
        # Ids start anywhere, so that a platform without memory does not repeat those of its last life: the
        # bot takes a known MsgId for a retry. Above 2**53, as on WeChat, where JSON readers with floats lose
        # digits.
        self.last_id = 24_000_000_000_000_000 + self.random.getrandbits(52)
        self._background: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(LATER_AT_ONCE)
        self._arrivals = Arrivals()

    async def __aenter__(self) -> Self:
        await self.courier.open()
        await self.media_checks.open()
        restore(self, self.state.load())
        for person in self.config.people:
            self.add_phone(person)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self.feed.close()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.courier.close()
        await self.media_checks.close()
        await self.state.close()

    # What people do with their phones.

    async def send(self, openid: str, kind: str = "text", **given: Any) -> Delivery:
        """Send a message (or, with kind="event", an event) to the account and wait for what it answers.

        text: `text` [, `tap`]; image, voice, video, shortvideo: `data` bytes or `media_id` [, `pic_url`,
        `thumb_media_id`, `format`, `recognition`, `seconds`]; location: `latitude`, `longitude`, `label`,
        `scale`; link: `title`, `description`, `url`; miniprogrampage: `title`, `appid`, `page_path`; event:
        `event` [, `key`]. `extra` adds raw XML elements to any of them, and stands alone for types WeChat may
        invent. An unknown openid becomes a new follower.

        Raises Conflict when the person does not follow the account.
        """
        phone = self._phone(openid)
        if kind != "event" or given["event"] in MENU_EVENTS:
            self._must_follow(phone)
        if kind in STORED_AS:
            given = self._with_media(kind, given)
        fields = event_fields(given) if kind == "event" else message_fields(kind, given)
        now = self.now()
        trigger = trigger_of(kind, given)
        if trigger is not None and phone.following:
            self.quota.open(openid, trigger, now)
            phone.interacted_at = now
        bubble = bubble_of(kind, given, now)
        if bubble is not None:
            self.show(phone, bubble)
        elif trigger is not None:
            self.changed(phone)
        answered = kind != "event" or str(given["event"]) in ANSWERED_EVENTS
        return await self._push(phone, kind, fields, answered=answered)

    async def tap(self, openid: str, menu_id: int, content: str) -> Delivery:
        """Tap a line of a message menu: arrives as text with bizmsgmenuid, opens only the click window."""
        return await self.send(openid, "text", text=content, tap=menu_id)

    async def choose(self, openid: str, label: str) -> Delivery:
        """Tap the newest menu line with this label, as a person would. Raises BadRequest when none is on the
        phone."""
        for bubble in reversed(self._phone(openid).bubbles):
            for item in bubble.menu:
                if item.label == label:
                    return await self.tap(openid, item.tap, item.content or item.label)
        raise BadRequest(f"no menu line {label!r} on the phone of {openid}")

    async def click(self, openid: str, key: str) -> Delivery:
        """Tap a button of the account's menu with this key."""
        return await self.send(openid, "event", event="CLICK", key=key)

    async def press(self, openid: str, path: list[int], result: str = "") -> Delivery:
        """Tap the menu button at a path of one or two indexes; `result` is what a scanning button reads."""
        button = self.menu.button(path)
        if button is None or button.get("sub_button"):
            raise BadRequest(f"no menu button at {path}")
        kind = str(button["type"])
        if kind == "click":
            return await self.click(openid, button["key"])
        if kind in ("view", "miniprogram"):
            event, key = ("VIEW", button["url"]) if kind == "view" else ("view_miniprogram", button["pagepath"])
            return await self.send(openid, "event", event=event, key=key)
        extra: dict[str, Any] = {}
        if kind.startswith("scancode"):
            extra = {"ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": result}}
        elif kind.startswith("pic_"):
            extra = {"SendPicsInfo": {"Count": 0, "PicList": ""}}
        return await self.send(openid, "event", event=kind, key=button.get("key", ""), extra=extra)

    async def follow(self, openid: str, scene: str | None = None) -> Delivery:
        """Follow the account; with a scene, by its QR code (EventKey gets the prefix qrscene_)."""
        phone = self._phone(openid)
        phone.following = True
        phone.subscribed_at = self.now()
        phone.scene = scene or ""
        self.show(phone, Bubble(self.now(), "system", "system", "notice", text=f"已关注“{self.config.title}”"))
        if scene is None:
            return await self.send(openid, "event", event="subscribe", key="")
        ticket = {"Ticket": self._ticket(scene)}
        return await self.send(openid, "event", event="subscribe", key=f"qrscene_{scene}", extra=ticket)

    async def unfollow(self, openid: str) -> Delivery:
        """Stop following: every window for customer-service messages is closed."""
        phone = self._phone(openid)
        phone.following = False
        self.quota.close(openid)
        self.show(phone, Bubble(self.now(), "system", "system", "notice", text="已取消关注"))
        return await self.send(openid, "event", event="unsubscribe", key="")

    async def scan(self, openid: str, scene: str) -> Delivery:
        """Scan a QR code of the account: SCAN with the bare scene for followers, else a follow with
        qrscene_."""
        phone = self._phone(openid)
        if not phone.following:
            return await self.follow(openid, scene)
        self.show(phone, Bubble(self.now(), "system", "system", "notice", text="扫描了二维码"))
        ticket = {"Ticket": self._ticket(scene)}
        return await self.send(openid, "event", event="SCAN", key=scene, extra=ticket)

    async def subscribe_consent(self, openid: str, template_id: str, accept: bool = True) -> Delivery:
        """Answer the pop-up of a subscription notice."""
        template = self.subscriptions.get(template_id)
        if accept:
            self.consents.give(openid, template)
        status = "accept" if accept else "reject"
        entry = {"TemplateId": template_id, "SubscribeStatusString": status, "PopupScene": "1"}
        extra = {"SubscribeMsgPopupEvent": {"List": [entry]}}
        text = f"{'同意' if accept else '拒绝'}接收一次“{template.title}”"
        self.show(self._phone(openid), Bubble(self.now(), "system", "system", "notice", text=text))
        return await self.send(openid, "event", event="subscribe_msg_popup_event", extra=extra)

    async def withdraw_consent(self, openid: str, template_id: str) -> Delivery:
        """Switch a subscription notice off in the settings."""
        self.consents.withdraw(openid, self.subscriptions.get(template_id))
        entry = {"TemplateId": template_id, "SubscribeStatusString": "reject"}
        extra = {"SubscribeMsgChangeEvent": {"List": [entry]}}
        return await self.send(openid, "event", event="subscribe_msg_change_event", extra=extra)

    async def enter_location(self, openid: str, latitude: float, longitude: float, precision: float = 30.0) -> Delivery:
        """The position a phone reports when its owner opens the chat (degrees, precision in metres)."""
        extra = {"Latitude": latitude, "Longitude": longitude, "Precision": precision}
        return await self.send(openid, "event", event="LOCATION", extra=extra)

    def add_phone(self, person: Person, *, shown: bool = True, following: bool = True) -> Phone:
        """A new phone; a known openid keeps its own, which may come onto the page."""
        phone = self.phones.find(person.openid)
        if phone is None:
            phone = self.phones.add(person, self.now(), shown=shown, following=following)
        phone.name, phone.role, phone.shown = person.name, person.role, phone.shown or shown
        if phone.shown:
            self.feed.publish("added", openid=phone.openid)
        self.state.changed()
        return phone

    def make_code(self, openid: str, purpose: Purpose = "login") -> str:
        """A code of wx.login, the phone-number button or a web page, good once and for five minutes."""
        self.visit(openid)
        return self.codes.make(purpose, self._phone(openid).openid, self.now())

    def visit(self, openid: str) -> None:
        """Open the mini-program: for two hours its texts and pictures can be checked."""
        self._phone(openid).visited_at = self.now()

    # What can be seen.

    def history(self, openid: str) -> list[Bubble]:
        """Everything the phone shows, oldest first, pushes by the account included."""
        return list(self._phone(openid).bubbles)

    def pushes(self, openid: str) -> list[Bubble]:
        """What the account sent by itself: customer-service, template and subscription messages."""
        return [bubble for bubble in self._phone(openid).bubbles if bubble.source in PUSHED]

    async def wait_for_push(self, openid: str, *, after: int = 0, within: float = 5.0) -> Bubble:
        """The first push with a number above `after`, waiting `within` seconds. Raises TimeoutError."""
        return await self._arrivals.next(openid, self.pushes(openid), after, within)

    async def verify_callback(self) -> Verification:
        """Check the callback address as saving the server settings does (GET with echostr)."""
        verification = await self.courier.verify()
        self.note("校验回调地址", verification.reason or "通过", good=verification.ok)
        return verification

    async def settle(self) -> None:
        """Wait until the events that the platform pushes by itself are delivered."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)

    # What the account's API does to phones.

    def receive(self, phone: Phone, bubble: Bubble) -> Bubble:
        """A push of the account arrives on the phone."""
        phone.typing_until = None
        shown = self.show(phone, bubble)
        self._arrivals.ring(phone.openid, shown)
        return shown

    def show(self, phone: Phone, bubble: Bubble) -> Bubble:
        """Put a bubble into the chat."""
        phone.last_number += 1
        shown = replace(bubble, number=phone.last_number)
        phone.bubbles.append(shown)
        if self.feed.watched and phone.shown:
            self.feed.publish("bubble", openid=phone.openid, bubble=shown.as_json())
        self.changed(phone)
        return shown

    def changed(self, phone: Phone) -> None:
        """Tell pages about a phone's quota, following and typing; keep the state."""
        if self.feed.watched and phone.shown:
            self.feed.publish("phone", openid=phone.openid)
        self.state.changed()

    def note(self, what: str, detail: str, openid: str = "", *, good: bool = False) -> None:
        """Write into the journal."""
        self.journal.add(Note(self.now(), what, detail, openid, good))

    def next_id(self) -> int:
        """A message id never given before."""
        self.last_id += 1
        return self.last_id

    def event_later(self, phone: Phone, event: str, extra: dict[str, Any]) -> None:
        """Push an event of the platform's own, after the call that caused it has been answered."""
        if len(self._background) >= LATER:
            self.note("事件推送", f"积压过多，{event} 未推送", phone.openid)
            return
        self._spawn(self._push_event(phone, event, extra))

    def check_later(self, trace_id: str, openid: str, url: str) -> None:
        """Look at a picture or a recording, and push what was found to the mini-program's server."""
        self._spawn(self._check_media(trace_id, openid, url))

    # Inside.

    async def _check_media(self, trace_id: str, openid: str, url: str) -> None:
        async with self._at_once:
            if reason := await self.media_checks.run(trace_id, openid, url):
                self.note("推送 wxa_media_check", reason, openid)

    async def _push_event(self, phone: Phone, event: str, extra: dict[str, Any]) -> None:
        async with self._at_once:
            await self.send(phone.openid, "event", event=event, extra=extra)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _push(self, phone: Phone, kind: str, fields: dict[str, Any], *, answered: bool) -> Delivery:
        common: dict[str, Any] = {
            "ToUserName": self.config.account,
            "FromUserName": phone.openid,
            "CreateTime": int(self.now().timestamp()),
            "MsgType": kind,
        }
        if kind != "event":
            fields = {**fields, "MsgId": self.next_id()}
        delivery = await self.courier.deliver(phone.openid, common | fields)
        self._record(phone, delivery, str(fields.get("Event", kind)), answered=answered)
        return delivery

    def _record(self, phone: Phone, delivery: Delivery, what: str, *, answered: bool) -> None:
        """Show the answer on the phone, and write down what the person cannot see."""
        if delivery.reason:
            self.note(f"推送 {what}", f"{delivery.reason}（{delivery.attempts} 次）", phone.openid)
        if not answered:
            return
        if delivery.outcome == "fault":
            note = delivery.reason
            self.show(phone, Bubble(self.now(), "system", "system", "fault", text=FAULT_LINE, note=note))
        elif delivery.outcome == "reply":
            self.show(phone, bubble_of_reply(delivery, self.now()))

    def _phone(self, openid: str) -> Phone:
        return self.phones.find(openid) or self.phones.add(Person(openid, openid[-6:], "居民"), self.now(), shown=False)

    @staticmethod
    def _must_follow(phone: Phone) -> None:
        """Only followers have the type box and the menu."""
        if not phone.following:
            raise Conflict(f"{phone.openid} does not follow the account", say="还没有关注公众号，先点“关注”。")

    def _ticket(self, scene: str) -> str:
        code = self.qrcodes.for_scene(scene, self.now())
        return code.ticket if code is not None else f"gQ{self.random.getrandbits(256):064x}"

    def _with_media(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        """Bytes become a media_id; a message without either gets a sample."""
        if "media_id" not in given:
            data = given.get("data") or samples.of_kind(kind, int(given.get("seconds", 3)))
            given = {**given, "media_id": self.media.add(STORED_AS[kind], data, self.now()).media_id}
        given.setdefault("pic_url", f"{self.config.base_url}/media/{given['media_id']}")
        if "video" in kind and "thumb_media_id" not in given:
            thumb = self.media.add("thumb", samples.photo("streetlight"), self.now())
            given = {**given, "thumb_media_id": thumb.media_id}
        return given
