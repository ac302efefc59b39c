"""Which node serves a room: locks of PostgreSQL, and the lease that rests on them.

A node holds the advisory locks of its rooms on one connection, in a process of its own (`process`), which
does what the server asks (`locks`). The server asks once a second, and so renews its lease (`room_locks`):

    server:      heartbeat sent at s ------------------> answered: the lease lasts until s + LEASE_S
    PostgreSQL:        the session is used -------> ends by itself IDLE_SESSION_S after its last use

So a server that is frozen, cut off or gone loses its lease first, and its locks after that. Whoever takes a
room that was not given up waits until the lease of its last owner is over, and raises the room's `epoch`;
samples of an earlier epoch are not stored.
"""
