"""One conversation per file: parse, ask, or call one domain function, reply. `Bot` puts them in their order."""

from handlers.bot import Bot
from handlers.chat import Policy

__all__ = ["Bot", "Policy"]
