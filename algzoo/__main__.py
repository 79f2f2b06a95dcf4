"""Command line interface: ``python -m algzoo`` runs the same program as ``algzoo``."""

from .chapters.commands.main import main

if __name__ == "__main__":
    main(prog_name="algzoo")
