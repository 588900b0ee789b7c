"""Work that PostgreSQL broke off in favour of another is done once more, by whoever began it: an endpoint, a page, a
job. `once_more(work)` is for those who may not know the database."""

from models.database import once_more

__all__ = ["once_more"]
