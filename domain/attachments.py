"""What became of a case's photos, voice and video."""

from __future__ import annotations

from models.cases import Attachment


async def store_attachment(attachment_id: int, path: str, content_type: str, size: int) -> None:
    """The file was fetched: `path` below the media folder, `size` in bytes."""
    await Attachment.filter(id=attachment_id).update(path=path, content_type=content_type[:64], size=size)
