"""How this server is reached, what it grants to those who reach it, and the folder it keeps its files in."""
