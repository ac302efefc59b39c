"""Who may act as a host: accounts, their sessions and API keys, and limits to guessing them.

`service.AccountService` puts these together; the rest of the server asks it.
"""
