"""A socket is opened by an upgrade, which a plain request is not: it is told so (400), whoever asks."""

from __future__ import annotations

from tests.api.matrix import OTHERWISE

OTHERWISE["GET /ws"] = {400}
