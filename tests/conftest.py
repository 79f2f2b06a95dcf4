"""What all tests share: repeatable examples, ARC's files, and models from plain arrays."""

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

# Before torch is loaded, here and in the kernels of chapters: its threads only wait for each other
# on models as small as these, for very long where something else is running.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Where pytest-xdist keeps the cores busy, a challenge starts no processes beside it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from filelock import FileLock
from hypothesis import settings

from algzoo.chapters.notebooks import find_chapters
from algzoo.chapters.running import longest_first
from algzoo.structure import weights_of
from algzoo.zoo import DistRNN, zoo_2nd_argmax
from algzoo.zoo.truth_folder import TRUTH_FOLDER

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser):
    parser.addoption(
        "--record",
        action="store_true",
        help="append what tests measure for the promises to tests/promises/runs.jsonl",
    )


# The longest tests, the longest first. A wrong order costs time and nothing else.
LONG = (
    *(f"test_numbers_hold[{path.stem}]" for path in longest_first(find_chapters((), ROOT))),
    "test_a_cluster_does_the_same_even_if_a_worker_is_killed",
    "test_sixteen_models_of_the_table_are_recomputed",
    "test_values_are_the_same_with_other_kernels[oldest]",
    "test_values_are_the_same_with_other_kernels[AVX2]",
    "test_values_are_the_same_with_other_kernels[AVX-512]",
    "test_every_chapter_has_its_page",  # for which the site is built
    "test_a_killed_process_goes_on_to_the_same_bits",
    "test_the_median_chapter_runs_on_a_stuck_seed",
    "test_m43_runs_on_a_seed_without_the_symmetry",
    "test_m22_runs_on_another_accurate_seed",
    "test_m22_runs_on_the_official_weights",
    "test_m22_says_what_is_wrong_with_the_poor_seeds[0-0.5]",
    "test_m22_says_what_is_wrong_with_the_poor_seeds[3-0.1252565]",
    "test_m22_says_what_is_wrong_with_the_poor_seeds[4-0.5]",
)


def pytest_collection_modifyitems(items):
    """Let each process of pytest-xdist begin with its share of the longest tests.

    Each is given a stretch of the tests, all of about the same number, and what it has not begun
    goes to those that have nothing left to do.
    """
    n_processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if n_processes == 1:
        return
    long = {item: LONG.index(item.name) for item in items if item.name in LONG}
    others = iter([item for item in items if item not in long])
    ordered = []
    for number in range(n_processes):
        ordered += sorted(long, key=long.__getitem__)[number::n_processes]
        up_to = len(items) * (number + 1) // n_processes
        ordered += islice(others, max(0, up_to - len(ordered)))
    items[:] = ordered


@pytest.fixture(scope="session")
def shared():
    """The folder beside the repository that holds training results and ARC's own weights."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs {folder}, which holds training results and ARC's own weights")
    return folder


@pytest.fixture(autouse=True)
def no_network_and_no_users_cache(monkeypatch, tmp_path):
    """Tests neither reach ARC's bucket nor see what the user's cache holds.

    Other processes that a test starts read and write the true scores of that test alone.
    """
    monkeypatch.setattr("algzoo.zoo.official.BUCKET", "http://127.0.0.1:9")
    monkeypatch.setattr("algzoo.zoo.official.cache_folder", lambda: tmp_path / "no cache")
    monkeypatch.setenv(TRUTH_FOLDER, str(tmp_path / "truths"))


@pytest.fixture
def official(shared, monkeypatch):
    """The folder of ARC's own weights, made known to the package."""
    folder = shared / "data" / "official"
    monkeypatch.setenv("ALGZOO_OFFICIAL", str(folder))
    return folder


@pytest.fixture(scope="session")
def official_2_2(shared):
    """ARC's own M2,2."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALGZOO_OFFICIAL", str(shared / "data" / "official"))
        return zoo_2nd_argmax(2, 2, source="official")


@pytest.fixture(scope="session")
def make_rnn():
    """Build a float64 2nd-argmax model from W_hi, W_hh and W_oh."""

    def make(w_hi, w_hh, w_oh, seq_len=2):
        w_hi, w_hh, w_oh = (torch.as_tensor(np.array(w, float)) for w in (w_hi, w_hh, w_oh))
        model = DistRNN(len(w_hi), seq_len).double()
        model.load_state_dict(
            {
                "rnn.weight_ih_l0": w_hi[:, None],
                "rnn.weight_hh_l0": w_hh,
                "linear.weight": w_oh,
            }
        )
        return model

    return make


@pytest.fixture(scope="session")
def gaussian_rnn(make_rnn):
    """Build a 2nd-argmax model with standard Gaussian weights from a seed."""

    def make(seed, hidden_size, seq_len=2):
        rng = np.random.default_rng(seed)
        shapes = (hidden_size,), (hidden_size, hidden_size), (seq_len, hidden_size)
        return make_rnn(*(rng.standard_normal(shape) for shape in shapes), seq_len=seq_len)

    return make


@pytest.fixture(scope="session")
def nearly_perfect_rnn(make_rnn):
    """Build a model like M2,2 whose accuracy falls as W_hh[1, 0] leaves 1.1415."""

    def make(w_10=1.1415):
        w_hh = [[-0.3821, 2.0852], [w_10, -0.7515]]
        return make_rnn([1, -1], w_hh, [[39.824, -173.527], [-39.813, 173.160]])

    return make


@pytest.fixture(scope="session")
def common_folder(tmp_path_factory):
    """A folder that all processes of pytest-xdist have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def site(common_folder):
    """The site, built from the committed outputs with every warning an error.

    It is built once, whichever of the processes of pytest-xdist needs it first.
    """
    target = common_folder / "site"
    html = target / "_build" / "html"
    with FileLock(f"{target}.lock"):
        if not (target / "built").exists():
            build = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(ROOT)]
            strict = ["-q", "-W", "--keep-going", "-n", "--path-output", str(target)]
            result = subprocess.run([*build, *strict], capture_output=True, text=True, check=False)
            assert result.returncode == 0, result.stdout + result.stderr
            (target / "built").touch()
    return html


@pytest.fixture(scope="session")
def pages(site):
    """The site's pages by path, parsed."""
    found = {
        path: BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for folder in ("book", "analyses")
        for path in sorted((site / folder).glob("*.html"))
    }
    assert len(found) >= 4
    return found


@pytest.fixture(scope="session")
def m43():
    """The best bundled M4,3."""
    return zoo_2nd_argmax(4, 3, seed=0)


@pytest.fixture(scope="session")
def noisy_copies(make_rnn):
    """Build copies of a model with independent Gaussian noise on all weights."""

    def make(model, n, sd, seed):
        rng = np.random.default_rng(seed)
        for _ in range(n):
            weights = [w + sd * rng.standard_normal(w.shape) for w in weights_of(model)]
            yield make_rnn(*weights, seq_len=model.seq_len)

    return make
