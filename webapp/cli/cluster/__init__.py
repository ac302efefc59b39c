"""`mien cluster`: two nodes behind nginx with PostgreSQL and Redis, on this machine, as plain processes."""
