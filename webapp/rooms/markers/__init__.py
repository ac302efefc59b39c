"""The markers of rooms: set by hosts, programs, participants and LSL streams, and changed by hosts."""
