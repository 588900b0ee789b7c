"""Composition root: settings, engines, the web and worker processes, and the `linli` command."""
