"""Child processes, and the messages that travel between them and the server."""
