"""Command line ``algzoo``: the names of the commands, and the modules that define them."""

from __future__ import annotations

from importlib import import_module

import click

# For each command its module, its name in that module, and its line in the list of commands.
_COMMANDS = {
    "check": ("chapters", "check", "Compare the numbers of chapters with the committed ones."),
    "run": ("chapters", "run", "Execute chapters and write their notebooks."),
    "new-chapter": ("chapters", "new_chapter_command", "Start a chapter on a model of the zoo."),
    "publish-at": ("chapters", "publish_at_command", "Set the address of the book's repository."),
    "models": ("models", "models", "List the bundled models and their scores."),
    "fetch": ("models", "fetch", "Download ARC's own weights."),
    "accuracy": (
        "accuracy",
        "accuracy",
        "Give a model's score to a stated standard error.",
    ),
    "benchmark": ("models", "benchmark", "Time random sampling."),
    "export": ("export", "export", "Write a model into a file for another tool."),
    "train": ("train", "train_command", "Train models by ARC's recipe."),
    "estimators": ("estimators", "estimators", "List the estimators of the catalogue."),
    "cite": ("cite", "cite", "Print BibTeX entries."),
    "challenge": ("challenge", "challenge", "Score estimators against random sampling."),
    "rare": ("rare", "rare_command", "Score estimates of the probability of a rare event."),
    "leaderboard": (
        "leaderboard",
        "leaderboard_command",
        "List the entries of the leaderboard, or check them.",
    ),
    "study": ("study", "study_command", "Compute or check the table of all estimates for M16,10."),
    "cliff": ("cliff", "cliff_command", "Compute or check the table of the chapter on the cliff."),
}


class _LateGroup(click.Group):
    """Group whose commands are imported when they are called: PyTorch alone takes a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order of the list."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command; ``None`` if there is none with that name."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        try:
            command = getattr(import_module(f"{__package__}.{module}"), attribute)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"`algzoo {cmd_name}` needs {error.name}, which is not installed here"
            ) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in _COMMANDS.items()])


@click.group(cls=_LateGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="algzoo")
def main() -> None:
    """Run and check the chapters of the AlgZoo book, and list and score its models."""
