"""A local WeChat platform: speaks the true protocol to our callback, offers the API endpoints we call, shows
phones.

The bot cannot tell it from WeChat. Newcomers try Linli on its page, and the tests, `linli replay` and the
benchmarks drive the bot through it. What it does follows the facts collected from WeChat's documents and from
field reports; where those are silent, the comment says "assumption".
"""

from simulator.config import SimulatorConfig
from simulator.platform import Platform
from simulator.web import PLATFORM, create_app

__all__ = ["PLATFORM", "Platform", "SimulatorConfig", "create_app"]
