"""``python -m algzoo`` is the command line."""

from .chapters.commands.main import main

if __name__ == "__main__":
    main(prog_name="algzoo")
