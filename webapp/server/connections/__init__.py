"""What one connection, one address and all together may use, and what they are told beyond it."""
