"""Command ``algzoo export``: a model in the format of another tool, with a model card."""

from __future__ import annotations

import math
from pathlib import Path

import click

from .accuracy import score_with_bar

_ENDINGS = {
    "safetensors": ".safetensors",
    "onnx": ".onnx",
    "transformer-lens": ".transformer-lens.safetensors",
}
_TOLERANCE = 1e-4  # largest standard error of the accuracy on the card
_SHARE = 0.01  # the same of a mean squared error, as a share of it


@click.command()
@click.argument("model_name", metavar="MODEL")
@click.option(
    "--to", "form", type=click.Choice([*_ENDINGS]), required=True, help="Format of the file."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write the file; by default in the working directory, under the model's name.",
)
@click.option("--float64", is_flag=True, help="Write the weights in float64, and compute in it.")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
def export(model_name: str, form: str, output: Path | None, float64: bool, force: bool) -> None:
    """Write MODEL into a file for another tool, and a model card beside it.

    safetensors holds the weights under ARC's keys; onnx (pip install 'algzoo[export]') runs in ONNX
    Runtime; transformer-lens has a named hook point for every activation, and a small module beside
    it that loads it. MODEL is a name as for `algzoo accuracy`. With :official, as in
    2nd_argmax_2_2:official, it is ARC's own model.
    """
    from ...zoo import FAMILIES
    from ...zoo.exporting import LOADER, as_onnx, as_safetensors, as_transformer_lens
    from ...zoo.files import write_whole
    from ...zoo.populations import read_name
    from ..model_card import model_card

    writers = {
        "safetensors": as_safetensors,
        "onnx": as_onnx,
        "transformer-lens": as_transformer_lens,
    }
    try:
        named = read_name(model_name)
        path = output or Path(f"{named.name}{_ENDINGS[form]}")
        if not path.name.endswith(_ENDINGS[form]):
            raise click.UsageError(f"--to {form} writes a file that ends in {_ENDINGS[form]}")
        card = path.with_name(f"{path.name}.md")
        loader = path.with_name("algzoo_hooked.py")
        model = named.load()
        if float64:
            model = model.double()
        files = {path: writers[form](model)}
        if form == "transformer-lens":
            files[loader] = LOADER.read_bytes()
        _refuse_to_lose(files, card, getattr(named, "source", ""), force)
        tolerance = _TOLERANCE
        if FAMILIES[model.task_name].measures_error:  # which may have any size
            tolerance = _SHARE * score_with_bar(model, math.inf).value or _TOLERANCE
        score = score_with_bar(model, tolerance)
        text = model_card(named, model, model_name, path.name, score, tolerance)
        files[card] = text.encode()
        for file, content in files.items():
            write_whole(file, content)
            click.echo(f"{file}: {len(content)} bytes")
    except (ValueError, OSError, ImportError) as error:
        raise click.ClickException(str(error)) from error


def _refuse_to_lose(files: dict[Path, bytes], card: Path, source: str, force: bool) -> None:
    """Raise an error if a file would be overwritten that is not the same, or was not to be."""
    for path in (*files, card):
        if not path.exists():
            continue
        if source and Path(source).exists() and path.samefile(source):
            raise click.ClickException(
                f"{path} is the file that the model comes from: give another name with --output"
            )
        same = path.is_file() and path.read_bytes() == files.get(path)
        if not same and not force:
            raise click.ClickException(
                f"{path} exists: give another name with --output, or overwrite it with --force"
            )
