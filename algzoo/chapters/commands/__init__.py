"""Command line: one module for each group of commands, imported when a command is called.

Start with ``main``, which lists the commands.
"""
