"""The Socket.IO events of the live page, of participants and of hosts."""
