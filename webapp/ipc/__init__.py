"""Child processes, and the messages between them and the server."""
