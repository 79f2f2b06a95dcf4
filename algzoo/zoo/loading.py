"""Loading trained models: by family, size, training, seed and source, or from one's own file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, SupportsIndex, TypeVar

import torch
from torch import Tensor

from .architectures import DistRNN, DistTransformer, Model, ScalarRNN, ScalarTransformer
from .families import CHECKPOINTS, FAMILIES, SEEDS, check_choice
from .official import EXAMPLE, EXAMPLE_FILE, official_state_dict, read_weights
from .scores import DATA, Source, best_seed, family_with
from .weight_files import (
    NUMBER_TYPES,
    WEIGHT_FILES,
    check_weight,
    is_weight_file,
    load_into,
    read_state_dict,
)

ARC_FOLDER = "gs://arc-ml-public/alg/"  # how scripts for ARC's package name its bucket

Transformer = TypeVar("Transformer", DistTransformer, ScalarTransformer)


def load_model(
    family_name: str,
    hidden_size: int,
    seq_len: int,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: str | os.PathLike[str] = "bundled",
) -> Model:
    """Model of any family; see :func:`zoo_2nd_argmax` for the arguments and errors."""
    if isinstance(source, str | os.PathLike) and is_weight_file(source):
        path = Path(source)
        return _own_model(family_name, hidden_size, seq_len, path, n_seqs=n_seqs, seed=seed)
    family = family_with(family_name, hidden_size, seq_len)
    source = _one_of_the_sources(source)
    saved = family.checkpoints if source == "bundled" else CHECKPOINTS
    if n_seqs is None:
        n_seqs = saved[-1]
    check_choice("n_seqs", n_seqs, saved)
    if seed is None:
        seed = best_seed(family_name, hidden_size, seq_len, source)
    check_choice("seed", seed, SEEDS)
    if source == "bundled":
        path = DATA / "weights" / f"{family_name}_{hidden_size}_{seq_len}.safetensors"
        state = read_state_dict(path, f"{n_seqs}_{seed}/")
    else:
        state, path = official_state_dict(f"{family_name}_{hidden_size}_{seq_len}_{n_seqs}_{seed}")
    model = family.build(int(hidden_size), int(seq_len))
    model.task_name = family_name
    load_into(model, state, str(path))
    return model


def _own_model(
    family_name: str,
    hidden_size: int,
    seq_len: int,
    path: Path,
    **of_the_zoo: int | None,
) -> Model:
    """Model of a family from a file of the reader's own; any size, which must be the file's."""
    check_choice("family", family_name, FAMILIES)
    for name, value in {"hidden_size": hidden_size, "seq_len": seq_len}.items():
        if isinstance(value, bool) or not isinstance(value, SupportsIndex) or value < 1:
            raise ValueError(f"{name} must be a whole number above 0, got {value!r}")
    for name, choice in of_the_zoo.items():
        if choice is not None:
            raise ValueError(f"{name} {choice} chooses among models of the zoo: {path} is just one")
    try:
        state = read_weights(path, NUMBER_TYPES)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"No weight file at {path.absolute()}") from error
    model = FAMILIES[family_name].build(int(hidden_size), int(seq_len))
    model.task_name = family_name
    load_into(model, state, str(path))
    return model


def _one_of_the_sources(source: object) -> Source:
    sources: tuple[Source, ...] = ("bundled", "official")
    for known in sources:
        if source == known:
            return known
    raise ValueError(
        f"No zoo model with source {source!r}, please choose one of: {', '.join(sources)}; or name "
        f"a file of weights that ends in {' or '.join(WEIGHT_FILES)}"
    )


def zoo_2nd_argmax(
    hidden_size: int,
    seq_len: int,
    *,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: str | os.PathLike[str] = "bundled",
) -> DistRNN:
    """Trained RNN that gives the position of the second-largest number of a sequence.

    Parameters
    ----------
    hidden_size
        2, 3, 4, 5, 6, 8, 16 or 32.
    seq_len
        2, 3, 4, 5, 6, 8 or 10.
    n_seqs
        Number of training sequences seen: 0, 2**20, 2**21, ..., 2**30. Where absent, of the longest
        trained model that exists.
    seed
        0 to 4; where absent, the best seed of the fully trained models of that source.
    source
        ``"bundled"``: retrained for this package with ARC's recipe. ``"official"``: ARC's own
        weights, from the folder that the environment variable ``ALGZOO_OFFICIAL`` names, else the
        user cache, else ARC's public bucket. Or your own file of weights, whose name ends in
        ``.safetensors``, ``.pth`` or ``.pt``: of any size, which its tensors must have, and read as
        tensors alone, so that no code in it is run. No weight is rounded: a file of float64 gives a
        model in float64, one of half precision a model in float32.

    Raises
    ------
    ValueError
        Names the value that does not exist and the choices, or says what is wrong with the file.
    OfficialFileMissing
        Where ARC's own weights are asked for and cannot be had.
    OSError
        Where your own file is not there or cannot be read.
    """
    model = load_model("2nd_argmax", hidden_size, seq_len, n_seqs, seed, source)
    assert isinstance(model, DistRNN)
    return model


def zoo_argmedian(
    hidden_size: int,
    seq_len: int,
    *,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: str | os.PathLike[str] = "bundled",
) -> DistRNN:
    """Trained RNN that gives the position of the middle number of a sequence of odd length.

    ``hidden_size``: 2, 4, 8, 16 or 32. ``seq_len``: 3, 5, 7 or 11. The rest as
    :func:`zoo_2nd_argmax`.
    """
    model = load_model("argmedian", hidden_size, seq_len, n_seqs, seed, source)
    assert isinstance(model, DistRNN)
    return model


def zoo_median(
    hidden_size: int,
    seq_len: int,
    *,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: str | os.PathLike[str] = "bundled",
) -> ScalarRNN:
    """Trained RNN that gives the median of a sequence.

    ``hidden_size``: 2, 4, 8, 16 or 32. ``seq_len``: 2, 3, 5 or 10. The best seed is the one of
    least mean squared error. The rest as :func:`zoo_2nd_argmax`.
    """
    model = load_model("median", hidden_size, seq_len, n_seqs, seed, source)
    assert isinstance(model, ScalarRNN)
    return model


def zoo_longest_cycle(
    hidden_size: int,
    seq_len: int,
    *,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: str | os.PathLike[str] = "bundled",
) -> DistTransformer:
    """Trained transformer that gives the length, minus one, of the longest cycle of a function.

    ``hidden_size``: 2, 3, 4, 6 or 8. ``seq_len``: 3, 4, 5 or 6. The bundled models of this family
    are trained to 2**29 sequences so far, half of the recipe. The rest as
    :func:`zoo_2nd_argmax`.
    """
    model = load_model("longest_cycle", hidden_size, seq_len, n_seqs, seed, source)
    assert isinstance(model, DistTransformer)
    return model


def example_2nd_argmax() -> DistRNN:
    """ARC's example model with hidden_size 16 and seq_len 10, the subject of its challenge.

    It exists only as ARC's own file; where that comes from, see :func:`official_state_dict`.

    Raises
    ------
    OfficialFileMissing
        Where the file cannot be had.
    """
    state, path = official_state_dict(EXAMPLE)
    model = DistRNN(hidden_size=16, seq_len=10)
    load_into(model, state, str(path))
    return model


def load_state_dict(model_path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Weights in a file, on the CPU; nothing but tensors is ever unpickled.

    Parameters
    ----------
    model_path
        A file that ``torch.save`` or safetensors has written (the latter by its ending), or a file
        of ARC's bucket, ``gs://arc-ml-public/alg/...``, for which see :func:`official_state_dict`.

    Raises
    ------
    ValueError
        Where the file holds anything but named tensors of finite numbers.
    OSError
        Where there is no such file, or it cannot be read.
    """
    text = os.fspath(model_path)
    if text.startswith(ARC_FOLDER):
        name = text.removeprefix(ARC_FOLDER).removeprefix("zoo/").removesuffix(".pth")
        return official_state_dict(EXAMPLE if name == EXAMPLE_FILE else name)[0]
    path = Path(text)
    if path.suffix.lower() == ".safetensors":
        return read_state_dict(path)
    with path.open("rb") as file:
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:
            # The message of PyTorch is not passed on: it advises to unpickle without restriction.
            raise _not_weights(path) from error
    if not isinstance(state, dict):
        raise _not_weights(path)
    for key, weight in state.items():
        if not (isinstance(key, str) and isinstance(weight, Tensor)):
            raise _not_weights(path)
    # A small file can describe a huge tensor that repeats one number.
    if sum(weight.numel() * weight.itemsize for weight in state.values()) > path.stat().st_size:
        raise ValueError(f"{path} describes more weights than it holds")
    for key, weight in state.items():
        check_weight(str(path), key, weight)
    return state


def load_dist_rnn(model_path: str | os.PathLike[str], bias: bool = False) -> DistRNN:
    """RNN with one logit per position from a file; the sizes are those of its weights.

    No weight is rounded: the model has the number type of the file, float32 at least.

    Parameters
    ----------
    model_path
        See :func:`load_state_dict`.
    bias
        Whether the layers have biases.

    Raises
    ------
    ValueError
        Where the file does not hold the weights of such a model.
    OSError
        Where there is no such file, or it cannot be read.
    """
    state = load_state_dict(model_path)
    seq_len, _ = _matrix_shape(state, "linear.weight", model_path)
    hidden_size, _ = _matrix_shape(state, "rnn.weight_hh_l0", model_path)
    model = DistRNN(hidden_size, seq_len, bias=bias)
    load_into(model, state, str(model_path))
    return model


def load_scalar_rnn(
    model_path: str | os.PathLike[str], seq_len: int, bias: bool = False
) -> ScalarRNN:
    """RNN with a single output from a file, whose weights do not tell ``seq_len``.

    The rest as :func:`load_dist_rnn`.
    """
    state = load_state_dict(model_path)
    hidden_size, _ = _matrix_shape(state, "rnn.weight_hh_l0", model_path)
    model = ScalarRNN(hidden_size, seq_len, bias=bias)
    load_into(model, state, str(model_path))
    return model


def load_transformer(
    model_cls: type[Transformer],
    model_path: str | os.PathLike[str],
    n_heads: int = 1,
    bias: bool = False,
) -> Transformer:
    """Transformer of class ``model_cls`` from a file, whose weights do not tell ``n_heads``.

    The rest as :func:`load_dist_rnn`.
    """
    state = load_state_dict(model_path)
    input_range, hidden_size = _matrix_shape(state, "embed.weight", model_path)
    seq_len, _ = _matrix_shape(state, "pos_embed.weight", model_path)
    layers = {key.split(".")[1] for key in state if key.startswith("attns.")}
    model = model_cls(
        hidden_size, seq_len, input_range, n_layers=len(layers), n_heads=n_heads, bias=bias
    )
    load_into(model, state, str(model_path))
    return model


def load_dist_transformer(model_path: str | os.PathLike[str], **options: Any) -> DistTransformer:
    """Transformer with ``seq_len`` logits from a file; options as :func:`load_transformer`."""
    return load_transformer(DistTransformer, model_path, **options)


def load_scalar_transformer(
    model_path: str | os.PathLike[str], **options: Any
) -> ScalarTransformer:
    """Transformer with a single output from a file; options as :func:`load_transformer`."""
    return load_transformer(ScalarTransformer, model_path, **options)


def _matrix_shape(
    state: dict[str, Tensor], key: str, model_path: str | os.PathLike[str]
) -> tuple[int, int]:
    if key not in state or state[key].ndim != 2:
        raise ValueError(f"{model_path} does not hold the weights asked for: no matrix {key!r}")
    rows, columns = state[key].shape
    if not rows or not columns:
        raise ValueError(f"{model_path} does not hold the weights asked for: {key!r} is empty")
    return rows, columns


def _not_weights(path: Path) -> ValueError:
    return ValueError(
        f"{path} is not a readable weight file: it is damaged or holds more than named tensors"
    )
