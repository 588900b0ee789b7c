"""What a message in a room seems to want. A likely report is a hint for the grid worker, never a case by itself."""

from __future__ import annotations

from typing import Any

import nlp


def understood(text: str) -> tuple[str, dict[str, Any] | None]:
    """(intent, hint) of a resident's words; the hint is None for what is no report and no danger."""
    said = nlp.understand(text)
    if said.intent != "report" and not said.urgent:
        return said.intent, None
    return said.intent, {
        "category": said.category,
        "subject": said.subject,
        "place": said.places[0] if said.places else "",
        "urgent": said.urgent,
        "confidence": round(said.confidence, 3),
    }
