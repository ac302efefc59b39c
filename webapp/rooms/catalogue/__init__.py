"""The rooms that this server serves: all of the database (`all_rooms`), or those it owns (`owned_rooms`)."""
