"""The pages of hosts: signing in, rooms, the account, and what was done."""
