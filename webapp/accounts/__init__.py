"""Hosts of rooms: their accounts, sessions, API keys, and limits to attempts."""
