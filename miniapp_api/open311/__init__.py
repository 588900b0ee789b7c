"""The Open311 GeoReport v2 server at `/open311/v2/`, XML and JSON."""

from miniapp_api.open311.routes import Open311, add_routes

__all__ = ["Open311", "add_routes"]
