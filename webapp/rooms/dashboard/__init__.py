"""What dashboards show of a room, and who gets it."""
