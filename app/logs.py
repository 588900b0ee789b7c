"""Structured logs: one event, one line. Control characters in any value are escaped, so no text can forge a line; the
values PostgreSQL names in its errors are people's and stay out."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# C0 and C1 controls, line separators, and the bidirectional marks that reorder what a reader sees
_MARKS = [0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_UNSAFE = {code: f"\\u{code:04x}" for code in [*range(0x20), *range(0x7F, 0xA0), *_MARKS]}

_VALUES = re.compile(r"DETAIL: .*?(?=\n|$)")


def _leave_out(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {
        name: _VALUES.sub("DETAIL: left out", text) if isinstance(text, str) else text for name, text in event.items()
    }


def _escape(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For a terminal, where a stack trace keeps its lines."""
    return {
        name: text.translate(_UNSAFE) if isinstance(text, str) and name != "exception" else text
        for name, text in event.items()
    }


def _one_line(_logger: Any, _method: str, line: str) -> str:
    """JSON with the same escapes wherever they are needed."""
    return line.translate(_UNSAFE)


def configure_logs(level: str, form: str) -> None:
    """Send structlog and the standard library's loggers to standard error in one form ("json" or "console")."""
    if form == "auto":
        form = "console" if sys.stderr.isatty() else "json"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _leave_out,
    ]
    as_json = [structlog.processors.JSONRenderer(ensure_ascii=False), _one_line]
    renderers: list[Any] = as_json if form == "json" else [_escape, structlog.dev.ConsoleRenderer()]
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
