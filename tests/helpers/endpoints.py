"""Which of the server's endpoints are public; all others must refuse whoever is not a signed-in host."""

PUBLIC = {
    "static", "live.index", "live.authority", "health.healthz", "health.readyz", "analyze.analyze",
    "room.ask_code", "room.show", "language.choose", "language.texts", "about.about",
    "documentation.openapi_document", "documentation.docs",
}  # fmt: skip
"""What anybody may open, of a room the text that people read before they consent; the rest is a host's."""
