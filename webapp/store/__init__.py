"""What outlives the server: rooms, consents, recordings, accounts.

A process of its own keeps it, so that neither a slow disk nor an export delays a frame. The server talks to
it through `client`; `repositories` and `exports` are what it can be asked.
"""
