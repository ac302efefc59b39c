"""What speaks the network's protocols: HTTP on eventlet, WebSocket, TLS and its certificates."""
