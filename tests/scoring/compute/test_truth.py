"""Truths: exact where possible, else sampled; and a cache that never gives anything else."""

import itertools
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from algzoo.estimates import angular, sampling
from algzoo.scoring import truth
from algzoo.scoring.compute.truth import Truth, TruthCache, truths_of
from algzoo.zoo import task_2nd_argmax, task_longest_cycle, zoo_longest_cycle, zoo_median
from algzoo.zoo.populations import NoisyCopies, TrainingSeeds


def test_exact_truth_has_no_error(gaussian_rnn):
    model = gaussian_rnn(0, 2, 2)
    found = truth(model, 2)
    assert found.value == angular(model).value
    assert found.std == 0
    assert found.sample_variance == found.value * (1 - found.value)


def test_longest_cycle_is_exact():
    model = zoo_longest_cycle(2, 3)
    functions = torch.tensor(list(itertools.product(range(3), repeat=3)))
    with torch.no_grad():
        right = (model(functions).argmax(-1) == task_longest_cycle(functions)).double().mean()
    assert truth(model, 2) == Truth(right.item(), 0.0, (right * (1 - right)).item())


def test_sampled_truth_agrees_with_other_inputs(gaussian_rnn):
    model = gaussian_rnn(1, 5, 4)
    found = truth(model, 2**16)
    x = torch.randn((2**18, 4), generator=torch.Generator().manual_seed(5)).double()
    with torch.no_grad():
        accuracy = (model(x).argmax(-1) == task_2nd_argmax(x)).double().mean().item()
    variance = accuracy * (1 - accuracy)
    assert abs(found.value - accuracy) < 4 * (variance / 2**16 + variance / 2**18) ** 0.5
    assert found.std == pytest.approx((variance / 2**16) ** 0.5, rel=0.02)
    assert found.sample_variance == pytest.approx(variance, rel=0.02)


def test_the_truth_of_a_median_model_is_its_squared_error():
    model = zoo_median(2, 3)
    found = truth(model, 2**16)
    x = torch.randn((2**18, 3), generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        errors = (model(x).squeeze(-1) - x.median(-1).values).double() ** 2
    assert abs(found.value - errors.mean().item()) < 5 * found.std
    assert found.sample_variance == pytest.approx(errors.var().item(), rel=0.2)


def test_truth_inputs_belong_to_the_weights(gaussian_rnn):
    """Independent between models, the same on every call, and not those of any small seed."""
    models = [gaussian_rnn(seed, 4, 4) for seed in (0, 1)]
    first = [truth(model, 500) for model in models]
    assert first == [truth(model, 500) for model in models]
    same_weights = [truth(gaussian_rnn(0, 4, 4), 500) for _ in range(2)]
    assert same_weights == [first[0], first[0]]
    assert first[0].value not in {sampling(models[0], 2**14, seed).value for seed in range(20)}


def test_truths_of_a_range():
    population = NoisyCopies(("2nd_argmax", 2, 2), 0.1, 6)
    assert truths_of(population, 2, 5, 2) == [truth(population.model(i), 2) for i in (2, 3, 4)]


def test_the_number_of_threads_of_the_caller_stays_as_it_was(gaussian_rnn):
    before = torch.get_num_threads()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: truth(gaussian_rnn(seed, 4, 4), 2**15), range(8)))
    assert torch.get_num_threads() == before


@pytest.fixture
def cache(tmp_path):
    return TruthCache(tmp_path / "truth")


POPULATION = NoisyCopies(("2nd_argmax", 2, 2), 0.1, 6, seed=3)
TRUTHS = [Truth(0.1 + 0.2, 1e-300, 1 / 3), Truth(1.0, 0.0, 0.0)]


def test_what_was_stored_is_found(cache):
    assert cache.get(POPULATION, 0, 2, 100) is None
    cache.put(POPULATION, 0, 2, 100, TRUTHS)
    assert cache.get(POPULATION, 0, 2, 100) == TRUTHS


def test_the_same_models_of_a_larger_population_are_found(cache):
    cache.put(POPULATION, 0, 2, 100, TRUTHS)
    assert cache.get(NoisyCopies(("2nd_argmax", 2, 2), 0.1, 60, seed=3), 0, 2, 100) == TRUTHS


def test_the_same_models_of_a_later_base_are_found_whatever_the_number_of_copies(cache):
    """Models 2 and 3 of base 1: number 8 of a population of 6 copies each, 62 of one of 60."""
    few, many = (NoisyCopies(TrainingSeeds("2nd_argmax", 2, 2), 0.1, n) for n in (6, 60))
    cache.put(few, 8, 10, 100, TRUTHS)
    assert cache.get(few, 8, 10, 100) == TRUTHS
    assert cache.get(many, 62, 64, 100) == TRUTHS
    assert cache.get(many, 8, 10, 100) is None
    assert cache.get(few, 14, 16, 100) is None


@pytest.mark.parametrize(
    ("population", "start", "stop", "n_samples"),
    [
        (POPULATION, 0, 2, 101),
        (POPULATION, 1, 3, 100),
        (POPULATION, 0, 3, 100),
        (POPULATION.tuning(0, 6), 0, 2, 100),
        (NoisyCopies(("2nd_argmax", 2, 2), 0.1, 6, seed=4), 0, 2, 100),
        (NoisyCopies(("2nd_argmax", 2, 2), 0.10001, 6, seed=3), 0, 2, 100),
        (NoisyCopies(("2nd_argmax", 2, 2), 0.1, 6, seed=3, relative=True), 0, 2, 100),
        (NoisyCopies(("2nd_argmax", 2, 2, 2**20, 0), 0.1, 6, seed=3), 0, 2, 100),
        (NoisyCopies(("argmedian", 2, 3), 0.1, 6, seed=3), 0, 2, 100),
        (TrainingSeeds("2nd_argmax", 2, 2), 0, 1, 100),
    ],
)
def test_what_differs_in_anything_is_not_found(cache, population, start, stop, n_samples):
    cache.put(POPULATION, 0, 2, 100, TRUTHS)
    assert cache.get(population, start, stop, n_samples) is None


def test_what_other_code_has_found_is_not_there(cache, monkeypatch):
    monkeypatch.setattr(
        sys.modules[TruthCache.__module__], "source_digest", lambda: "the code before"
    )
    cache.put(POPULATION, 0, 2, 100, TRUTHS)
    assert cache.get(POPULATION, 0, 2, 100) == TRUTHS
    monkeypatch.undo()
    assert cache.get(POPULATION, 0, 2, 100) is None


def test_other_weights_under_the_same_name_are_not_found(cache, gaussian_rnn):
    cache.put(NoisyCopies(gaussian_rnn(0, 2, 2), 0.1, 2), 0, 2, 100, TRUTHS)
    assert cache.get(NoisyCopies(gaussian_rnn(1, 2, 2), 0.1, 2), 0, 2, 100) is None


def damage(content, how):
    stored = json.loads(content)
    if how == "a number":
        stored["truths"][0][0] += 1e-3
    if how == "a row":
        del stored["truths"][0]
    if how == "half":
        return content[: len(content) // 2]
    if how == "nothing":
        return b""
    if how == "bytes":
        return b"\xff\x00" + content
    if how == "a list":
        return b"[1, 2]"
    return json.dumps(stored).encode()


@pytest.mark.parametrize("how", ["a number", "a row", "half", "nothing", "bytes", "a list"])
def test_a_damaged_entry_is_not_there(cache, how):
    cache.put(POPULATION, 0, 2, 100, TRUTHS)
    [path] = cache.folder.iterdir()
    path.write_bytes(damage(path.read_bytes(), how))
    assert cache.get(POPULATION, 0, 2, 100) is None
    cache.put(POPULATION, 0, 2, 100, TRUTHS)
    assert cache.get(POPULATION, 0, 2, 100) == TRUTHS


def test_a_folder_that_cannot_be_written_is_not_used(tmp_path):
    (tmp_path / "truth").write_text("a file")
    cache = TruthCache(tmp_path / "truth")
    cache.put(POPULATION, 0, 2, 100, TRUTHS)
    assert cache.get(POPULATION, 0, 2, 100) is None


def test_many_writers_and_readers_see_whole_entries(cache):
    stop = threading.Event()

    def read():
        seen = []  # by one reader, for what several have seen is in no order
        while not stop.is_set() or TRUTHS not in seen:
            seen.append(cache.get(POPULATION, 0, 2, 100))
        return seen

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        writers = [
            pool.submit(lambda: [cache.put(POPULATION, 0, 2, 100, TRUTHS) for _ in range(5)])
            for _ in range(3)
        ]
        for writer in writers:
            writer.result()
        stop.set()
        for reader in readers:
            seen = reader.result()
            assert all(found == TRUTHS for found in seen[seen.index(TRUTHS) :])
    assert [path.suffix for path in cache.folder.iterdir()] == [".json"]
