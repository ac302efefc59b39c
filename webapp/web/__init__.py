"""What a browser or a program can ask for; thin: check, call, answer."""
