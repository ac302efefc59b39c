"""What outlives the server: rooms, consents, recordings, hosts.

A process of its own keeps it (`service`), so that neither a slow disk nor an export holds up a frame. The
server talks to it through `process`; `archive` is all that can be asked.
"""
