"""WeChat settings as frozen values. `app/settings.py` fills them; nothing in `bot/` reads the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

Mode = Literal["plain", "compatible", "safe"]


@dataclass(frozen=True, slots=True)
class TemplateConfig:
    """One message template of the account, with the keyword each of our values goes into.

    `fields` maps our names (`bot/notice_kinds.py`) to the template's keywords, e.g.
    {"number": "character_string1", "subject": "thing2", "status": "phrase3", "time": "time4"}.
    The keyword's letters are its type, which decides what WeChat accepts in it (`bot/fields.py`).
    """

    template_id: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WeChatConfig:
    """The account the bot speaks for. Secrets do not show in `repr`."""

    appid: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(default="", repr=False)
    aes_key_previous: str = field(default="", repr=False)
    mode: Mode = "safe"
    api_base: str = "https://api.weixin.qq.com"
    timestamp_window: timedelta = timedelta(minutes=10)
    templates: Mapping[str, TemplateConfig] = field(default_factory=dict)
    """Template messages by kind of notice; kinds without one go by that of `case`."""
    subscriptions: Mapping[str, TemplateConfig] = field(default_factory=dict)
    """Subscription notices, likewise."""

    @property
    def aes_keys(self) -> tuple[str, ...]:
        """The keys to decrypt with, the current one first: a key change takes effect at once on WeChat's
        side, so pushes under the old key still arrive for a while."""
        return tuple(key for key in (self.aes_key, self.aes_key_previous) if key)
