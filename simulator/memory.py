"""What a platform keeps over a restart, as one JSON object."""

from typing import TYPE_CHECKING, Any, Final

from simulator.phones import Phone

if TYPE_CHECKING:
    from simulator.platform import Platform

VERSION: Final = 1


def collect(platform: "Platform") -> dict[str, Any]:
    """Everything to keep. Media bytes lie in a folder of their own, faults are forgotten on purpose."""
    return {
        "version": VERSION,
        "phones": [phone.as_json() for phone in platform.phones],
        "quota": platform.quota.as_json(),
        "tokens": platform.tokens.as_json(),
        "consents": platform.consents.as_json(),
        "mass": platform.mass.as_json(),
        "qrcodes": platform.qrcodes.as_json(),
        "media": platform.media.as_json(),
        "menu": platform.menu.buttons,
        "last_id": platform.last_id,
    }


def restore(platform: "Platform", stored: dict[str, Any]) -> None:
    """Take up a former life. A file of another version is set aside."""
    if not stored:
        return
    if stored.get("version") != VERSION:
        platform.state.set_aside()
        return
    for phone in stored["phones"]:
        platform.phones.put(Phone.from_json(phone))
    platform.quota.load(stored["quota"])
    platform.tokens.load(stored["tokens"])
    platform.consents.load(stored["consents"])
    platform.mass.load(stored.get("mass", {}))
    platform.qrcodes.load(stored["qrcodes"])
    platform.media.load(stored["media"])
    platform.menu.buttons = stored["menu"]
    platform.last_id = max(platform.last_id, stored["last_id"])
