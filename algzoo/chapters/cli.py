"""Command line ``algzoo``; its commands are in :mod:`algzoo.chapters.commands`."""

from .commands.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main(prog_name="algzoo")
