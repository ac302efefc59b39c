"""What the recordings of a room come to: means of participants, and of the group with its interval."""
