"""The log: the ids that its lines carry, its format, and what keeps clients from flooding it."""
