"""`python -m webapp`: the command line, as `mien`."""

from webapp.cli.main import main

if __name__ == "__main__":
    main(prog_name="mien")
