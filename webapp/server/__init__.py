"""How this server is reached, and the folder it keeps its files in; nothing here knows Flask or eventlet."""
