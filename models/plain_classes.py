"""Imported before the models: Tortoise makes their classes without reading the source code of each.

It looks there for comments beginning with `#:`, which describe a column. Ours have `description=`, and parsing every
model took a seventh of a process's start.
"""

from __future__ import annotations

from tortoise import models


def _none(cls: type[models.Model]) -> dict[str, str]:  # noqa: ARG001 - the shape of what it stands for
    return {}


models._get_comments = _none  # noqa: SLF001 - there is no setting for it
