"""What a simulated platform is told at its start: the account it hosts and the people whose phones it
shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

Mode = Literal["plain", "compatible", "safe"]


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """The official account (and the mini-program) the platform hosts, with the settings of its callback."""

    callback_url: str
    """Where pushes go, e.g. http://127.0.0.1:8080/wechat/callback."""
    appid: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(default="", repr=False)
    """EncodingAESKey, 43 characters; may be empty in plain mode."""
    mode: Mode = "safe"
    account: str = "gh_linli_simulator"
    """The account's original id, ToUserName of every push."""
    state_file: Path | None = None
    """Keeps histories, QR codes, consents, menu and tokens over a restart. None: everything is forgotten."""
    demo: Mapping[str, Any] | Sequence[Mapping[str, str]] = field(default_factory=dict)
    """`phones`: list of {"openid", "name", "role"}; `places`: list of {"label", "latitude", "longitude"};
    `scenes`: a QR code's label by its scene; `title`: the account's name. A bare list is taken as the phones."""
    public_url: str = ""
    """Where the page is reached, for PicUrl and video_url. Empty: `/simulator` on the callback's host."""
    miniapp_appid: str = ""
    """The mini-program of the same owner. Empty: login codes are answered for the account's own appid."""
    miniapp_secret: str = field(default="", repr=False)
    miniapp_callback_url: str = ""
    """Where the mini-program's own pushes go (results of picture checks). Empty: nowhere."""
    miniapp_token: str = field(default="", repr=False)
    miniapp_aes_key: str = field(default="", repr=False)
    """Empty: its pushes are plain."""
    push_format: Literal["xml", "json"] = "xml"

    @property
    def base_url(self) -> str:
        """The simulator's own address without a trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        callback = urlsplit(self.callback_url)
        return f"{callback.scheme}://{callback.netloc}/simulator"

    @property
    def miniapp_pushes(self) -> "SimulatorConfig | None":
        """The same for the mini-program's message server, whose pushes are JSON; None without one."""
        if not self.miniapp_callback_url:
            return None
        return replace(
            self,
            callback_url=self.miniapp_callback_url,
            appid=self.miniapp_appid or self.appid,
            token=self.miniapp_token,
            aes_key=self.miniapp_aes_key,
            mode="safe" if self.miniapp_aes_key else "plain",
            account="gh_linli_miniprogram",
            push_format="json",
        )

    @property
    def secrets(self) -> dict[str, str]:
        """AppSecret by appid, for the account and, when there is one, the mini-program."""
        known = {self.appid: self.secret}
        if self.miniapp_appid:
            known[self.miniapp_appid] = self.miniapp_secret
        return known

    @property
    def title(self) -> str:
        """The account's name in the title bar of every phone."""
        return str(self._demo.get("title", "邻里"))

    @property
    def people(self) -> tuple["Person", ...]:
        """Whose phones are shown first, in this order."""
        phones = self._demo.get("phones", ())
        return tuple(Person(p["openid"], p["name"], p.get("role", "居民")) for p in phones) or DEFAULT_PEOPLE

    @property
    def places(self) -> tuple["Place", ...]:
        """What the location button offers."""
        given = self._demo.get("places", ())
        chosen = (Place(p["label"], float(p["latitude"]), float(p["longitude"])) for p in given)
        return tuple(chosen) or DEFAULT_PLACES

    @property
    def scenes(self) -> Mapping[str, str]:
        """What to write under the QR codes of the scan list, instead of the bare scene."""
        labels: Mapping[str, str] = self._demo.get("scenes", {})
        return labels

    @property
    def _demo(self) -> Mapping[str, Any]:
        return self.demo if isinstance(self.demo, Mapping) else {"phones": self.demo}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a phone. `role` is only what the page writes beside the name."""

    openid: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Place:
    """A point of the map with its label, in GCJ-02 degrees as WeChat sends them."""

    label: str
    latitude: float
    longitude: float


DEFAULT_PEOPLE = (
    Person("o_sim_resident_chen", "陈阿姨", "居民"),
    Person("o_sim_grid_wang", "王芳", "网格员"),
    Person("o_sim_street_li", "李主任", "街道"),
)

DEFAULT_PLACES = (
    Place("东亭社区 3栋2单元", 30.56421, 114.36918),
    Place("东亭社区 东门垃圾点", 30.56397, 114.37012),
    Place("东亭社区 居民活动中心", 30.56488, 114.36875),
    Place("水果湖街道 办事处", 30.55402, 114.35286),
)
