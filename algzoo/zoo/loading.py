"""Loading the trained models by family, size, training, seed and source."""

from __future__ import annotations

from .architectures import DistRNN, DistTransformer, Model, ScalarRNN
from .families import CHECKPOINTS, SEEDS, check_choice
from .official import EXAMPLE, official_state_dict
from .scores import DATA, Source, best_seed, family_with
from .weights import load_into, read_state_dict


def load_model(
    family_name: str,
    hidden_size: int,
    seq_len: int,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: Source = "bundled",
) -> Model:
    """Model of any family; see :func:`zoo_2nd_argmax` for the arguments and errors."""
    family = family_with(family_name, hidden_size, seq_len)
    check_choice("source", source, ["bundled", "official"])
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


def zoo_2nd_argmax(
    hidden_size: int,
    seq_len: int,
    *,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: Source = "bundled",
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
        user cache, else ARC's public bucket.

    Raises
    ------
    ValueError
        Names the value that does not exist and the choices.
    OfficialFileMissing
        Where ARC's own weights are asked for and cannot be had.
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
    source: Source = "bundled",
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
    source: Source = "bundled",
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
    source: Source = "bundled",
) -> DistTransformer:
    """Trained transformer that gives the length, minus one, of the longest cycle of a function.

    ``hidden_size``: 2, 3, 4, 6 or 8. ``seq_len``: 3, 4, 5 or 6. The bundled models of this family
    are trained to 2**28 sequences so far, a quarter of the recipe. The rest as
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
