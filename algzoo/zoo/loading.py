"""Load trained models by family, size, training, seed and source, or from your own file."""

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

ARC_FOLDER = "gs://arc-ml-public/alg/"  # ARC's bucket, as scripts for ARC's package name it

Transformer = TypeVar("Transformer", DistTransformer, ScalarTransformer)


def load_model(
    family_name: str,
    hidden_size: int,
    seq_len: int,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: str | os.PathLike[str] = "bundled",
) -> Model:
    """Load a model of any family; see :func:`zoo_2nd_argmax` for the arguments and errors."""
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
    """Load a model of a family from the user's own file; any size that matches the file will do."""
    check_choice("family", family_name, FAMILIES)
    for name, value in {"hidden_size": hidden_size, "seq_len": seq_len}.items():
        if isinstance(value, bool) or not isinstance(value, SupportsIndex) or value < 1:
            raise ValueError(f"{name} must be a whole number above 0, got {value!r}")
    for name, choice in of_the_zoo.items():
        if choice is not None:
            raise ValueError(
                f"{name} {choice} chooses among models of the zoo: {path} is a single one"
            )
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
    """Load a trained RNN that gives the position of the second-largest number of a sequence.

    Parameters
    ----------
    hidden_size
        2, 3, 4, 5, 6, 8, 16 or 32.
    seq_len
        2, 3, 4, 5, 6, 8 or 10.
    n_seqs
        Number of training sequences seen: 0, 2**20, 2**21, ..., 2**30. The default is that of the
        longest-trained model that exists.
    seed
        Training seed, 0 to 4. The default is the best seed among the fully trained models of that
        source.
    source
        Where the weights come from:

        * ``"bundled"``: the weights of this package, retrained with ARC's recipe.
        * ``"official"``: ARC's own weights, from the folder that the environment variable
          ``ALGZOO_OFFICIAL`` names, otherwise from the user cache, otherwise from ARC's public
          bucket.
        * the name of your own weight file, which ends in ``.safetensors``, ``.pth`` or ``.pt``. The
          model may have any size; its tensors must have the shapes of that size. Only tensors are
          read from the file, so that no code in it is run. No weight is rounded: a file in float64
          gives a model in float64, one in half precision a model in float32.

    Returns
    -------
    DistRNN
        The model, with ``seq_len`` logits.

    Raises
    ------
    ValueError
        If a value does not exist (the message names it and the choices), or if something is wrong
        with the file.
    OfficialFileMissing
        If ARC's own weights are asked for and cannot be had.
    OSError
        If your own file does not exist or cannot be read.

    Examples
    --------
    >>> import torch
    >>> model = zoo_2nd_argmax(4, 3)
    >>> model(torch.tensor([[0.3, 2.0, -1.0]])).argmax(-1)
    tensor([0])
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
    """Load a trained RNN that gives the position of the middle number of a sequence of odd length.

    Parameters
    ----------
    hidden_size
        2, 4, 8, 16 or 32.
    seq_len
        3, 5, 7 or 11.
    n_seqs, seed, source
        As for :func:`zoo_2nd_argmax`, which also lists the errors.

    Returns
    -------
    DistRNN
        The model, with ``seq_len`` logits.

    Examples
    --------
    >>> import torch
    >>> model = zoo_argmedian(16, 5)
    >>> model(torch.tensor([[0.3, 2.0, -1.0, 1.0, -2.0]])).argmax(-1)
    tensor([0])
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
    """Load a trained RNN that gives the median of a sequence.

    Parameters
    ----------
    hidden_size
        2, 4, 8, 16 or 32.
    seq_len
        2, 3, 5 or 10.
    n_seqs, seed, source
        As for :func:`zoo_2nd_argmax`, which also lists the errors. The best seed is the one with
        the least mean squared error.

    Returns
    -------
    ScalarRNN
        The model, with a single output.

    Examples
    --------
    >>> import torch
    >>> model = zoo_median(16, 2)
    >>> print(f"{model(torch.tensor([[1.0, 2.0]])).item():.1f}")
    1.5
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
    """Load a trained transformer that gives the length, minus one, of a function's longest cycle.

    Parameters
    ----------
    hidden_size
        2, 3, 4, 6 or 8.
    seq_len
        3, 4, 5 or 6. The input is the list of values of a function on as many points.
    n_seqs, seed, source
        As for :func:`zoo_2nd_argmax`, which also lists the errors. So far the bundled models of
        this family were trained on 2**29 sequences, half of the recipe.

    Returns
    -------
    DistTransformer
        The model, with ``seq_len`` logits.

    Examples
    --------
    >>> import torch
    >>> model = zoo_longest_cycle(4, 4)
    >>> model(torch.tensor([[1, 2, 0, 3]])).argmax(-1)
    tensor([2])
    """
    model = load_model("longest_cycle", hidden_size, seq_len, n_seqs, seed, source)
    assert isinstance(model, DistTransformer)
    return model


def example_2nd_argmax() -> DistRNN:
    """Load ARC's example model (hidden_size 16, seq_len 10), the subject of ARC's challenge.

    It exists only as ARC's own file; :func:`official_state_dict` says where it looks for the file.

    Raises
    ------
    OfficialFileMissing
        If the file cannot be had.

    Examples
    --------
    >>> model = example_2nd_argmax()  # doctest: +SKIP
    >>> model.hidden_size, model.seq_len  # doctest: +SKIP
    (16, 10)
    """
    state, path = official_state_dict(EXAMPLE)
    model = DistRNN(hidden_size=16, seq_len=10)
    load_into(model, state, str(path))
    return model


def load_state_dict(model_path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read the weights in a file, on the CPU; only tensors are ever unpickled.

    Parameters
    ----------
    model_path
        A file written by ``torch.save`` or by safetensors (told by its ending), or a file of ARC's
        bucket, ``gs://arc-ml-public/alg/...``, for which see :func:`official_state_dict`.

    Raises
    ------
    ValueError
        If the file holds anything but named tensors of finite numbers.
    OSError
        If the file does not exist or cannot be read.
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
            # PyTorch's message is not passed on: it advises unpickling without restriction.
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
    """Load an RNN with one logit per position from a file; its weights determine the sizes.

    No weight is rounded: the model has the number type of the file, at least float32.

    Parameters
    ----------
    model_path
        See :func:`load_state_dict`.
    bias
        Whether the layers have biases.

    Raises
    ------
    ValueError
        If the file does not hold the weights of such a model.
    OSError
        If the file does not exist or cannot be read.
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
    """Load an RNN with a single output from a file; its weights do not determine ``seq_len``.

    Otherwise like :func:`load_dist_rnn`.
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
    """Load a transformer of class ``model_cls``; its weights do not determine ``n_heads``.

    Otherwise like :func:`load_dist_rnn`.
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
    """Load a transformer with ``seq_len`` logits; options as for :func:`load_transformer`."""
    return load_transformer(DistTransformer, model_path, **options)


def load_scalar_transformer(
    model_path: str | os.PathLike[str], **options: Any
) -> ScalarTransformer:
    """Load a transformer with a single output; options as for :func:`load_transformer`."""
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
