"""Staff's web pages: rendered on the server, moved along by htmx. Rules live in `domain/`; here are pages alone."""
