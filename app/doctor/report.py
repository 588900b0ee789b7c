"""What the doctor finds, printed as it is found and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from errors import LinliError


class Report:
    """Prints findings as they are made, and counts them."""

    def __init__(self) -> None:
        self.wrongs = 0
        self.notes = 0

    def head(self, title: str) -> None:
        print(f"\n{title}", flush=True)

    def ok(self, what: str) -> None:
        self.say("ok", what, "")

    def note(self, what: str, advice: str = "") -> None:
        """Works, but the operator should know."""
        self.notes += 1
        self.say("!", what, advice)

    def wrong(self, what: str, mend: str) -> None:
        """Does not work until somebody does what `mend` says."""
        self.wrongs += 1
        self.say("x", what, mend)

    def say(self, mark: str, what: str, advice: str) -> None:
        """One finding: `ok`, `!` or `x`, what it is, and what to do."""
        print(f"  {mark:<3} {what}" + (f"\n        → {advice}" if advice else ""), flush=True)

    @contextmanager
    def guarded(self, what: str) -> Iterator[None]:
        """A check that fails in a way nobody foresaw is a finding, not a traceback."""
        try:
            yield
        except LinliError as error:
            self.wrong(f"{what}: {error.detail or error.code}", "see the message; details in docs/operations.md")
        except Exception as error:  # noqa: BLE001 - a diagnosis must reach its last line
            self.wrong(
                f"{what}: {type(error).__name__}: {str(error)[:200]}", "see the message; details in docs/operations.md"
            )


class Collected(Report):
    """Keeps the findings instead of printing them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []

    def head(self, title: str) -> None:
        """Nothing: what is kept stands for itself."""

    def say(self, mark: str, what: str, advice: str) -> None:
        """(mark, what, advice), in the order they are found."""
        self.found.append((mark, what, advice))


def without_password(url: str) -> str:
    """A URL that may be shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(no URL)"
    if not parts.password:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.split(':')[0]}:***@{host}"))
