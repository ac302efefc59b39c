"""Rooms for studies: who is in them, what is recorded, what a host sees."""
