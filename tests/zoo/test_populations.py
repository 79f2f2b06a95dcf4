"""Populations: the same models from the seed alone, with the noise that was asked for."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.scoring.compute.truth import truth
from algzoo.zoo import (
    SEEDS,
    best_seed,
    example_2nd_argmax,
    load_model,
    zoo_2nd_argmax,
    zoo_median,
)
from algzoo.zoo.populations import (
    NoisyCopies,
    TrainingSeeds,
    ZooModel,
    base_name,
    base_named,
    read_name,
)
from algzoo.zoo.streams import model_digest, named_stream


def flat(model):
    return torch.cat([w.detach().double().flatten() for _, w in sorted(model.named_parameters())])


@pytest.fixture
def two_neurons(make_rnn):
    return make_rnn([1, -1], [[0.5, 2.0], [1.0, -0.75]], [[4.0, -17.0], [-4.0, 17.0]])


def test_noise_is_the_named_stream_of_its_seed_and_number(two_neurons):
    """Recomputed from the text that names the stream: any machine can."""
    population = NoisyCopies(two_neurons, 0.25, 5, seed=7)
    entropy = hashlib.sha256(b"algzoo\0scoring\x007\x000\x003").digest()
    sequence = np.random.SeedSequence(int.from_bytes(entropy, "little"))
    z = np.random.default_rng(sequence).standard_normal(2 + 4 + 4)
    # Sorted by name: linear.weight, rnn.weight_hh_l0, rnn.weight_ih_l0.
    raw = [4.0, -17.0, -4.0, 17.0, 0.5, 2.0, 1.0, -0.75, 1.0, -1.0]
    np.testing.assert_array_equal(flat(population.model(3)), raw + 0.25 * z)


def test_relative_noise_is_the_same_draws_times_the_weights(two_neurons):
    absolute = NoisyCopies(two_neurons, 0.25, 5, seed=7).model(3)
    relative = NoisyCopies(two_neurons, 0.25, 5, seed=7, relative=True).model(3)
    raw = flat(two_neurons)
    assert flat(relative).tolist() == pytest.approx((raw * (1 + flat(absolute) - raw)).tolist())


@pytest.mark.parametrize("relative", [False, True])
def test_descriptions_name_one_base_and_count_several(two_neurons, relative):
    noise = "relative noise" if relative else "noise on the raw weights"
    pair = (zoo_2nd_argmax(2, 2, seed=0), zoo_2nd_argmax(2, 2, seed=1))
    for base, words in [
        (two_neurons, "DistRNN for 2nd_argmax with seq_len 2"),
        (("2nd_argmax", 2, 2, 2**20, 3), "2nd_argmax_2_2_1048576_3"),
        (pair, "2 base models"),
        (TrainingSeeds("2nd_argmax", 2, 2), "5 base models"),
    ]:
        found = NoisyCopies(base, 0.005, 9, seed=4, relative=relative).description
        assert found == f"{words}, 9 copies with {noise} of sd 0.005, seed 4"
    assert TrainingSeeds("2nd_argmax", 2, 2).description == "2nd_argmax_2_2, 5 training seeds"


def test_models_are_the_same_on_every_machine(two_neurons):
    """Digests written down on the machine where this was written."""
    digests = [model_digest(NoisyCopies(two_neurons, 0.25, 5, s).model(4))[:16] for s in (0, 1)]
    assert digests == ["72e89cf986962fa7", "488266b6b63242c8"]


@pytest.mark.parametrize("relative", [False, True])
def test_noise_has_the_standard_deviation_asked_for(gaussian_rnn, relative):
    base = gaussian_rnn(3, 8, 5)
    population = NoisyCopies(base, 0.05, 200, seed=2, relative=relative)
    weights = torch.stack([flat(population.model(i)) for i in range(200)])
    noise = weights - flat(base)
    if relative:
        noise /= flat(base)
    n = noise.numel()
    assert abs(noise.mean()) < 4 * 0.05 / n**0.5
    assert abs(noise.std() / 0.05 - 1) < 4 / (2 * n) ** 0.5
    # Neither two weights nor two models share noise.
    for z in (noise / 0.05, noise.T / 0.05):
        products = (z @ z.T)[~torch.eye(len(z), dtype=bool)] / z.shape[1] ** 0.5
        assert abs(products).max() < 6


def test_streams_do_not_meet():
    names = [("scoring", 0, 1), ("tuning", 0, 1), ("scoring", 1, 0), ("scoring", 0, 1, 1)]
    states = {tuple(named_stream(name, *rest).generate_state(4)) for name, *rest in names}
    assert len(states) == len(names)


def test_tuning_draws_are_no_scoring_draws(two_neurons):
    population = NoisyCopies(two_neurons, 0.1, 40)
    scored = {model_digest(population.model(i)) for i in range(40)}
    tuning = population.tuning(0, 40)
    assert len(scored) == len(tuning) == 40
    assert scored.isdisjoint(model_digest(tuning.model(i)) for i in range(40))


@given(st.integers(0, 99_999))
def test_a_hundred_thousand_models_are_a_small_description(index):
    population = NoisyCopies(("2nd_argmax", 16, 10), 0.005, 100_000)
    assert len(population) == 100_000
    content = pickle.dumps(population)
    assert len(content) < 1000
    same = pickle.loads(content)
    assert model_digest(same.model(index)) == model_digest(population.model(index))
    assert same.fingerprint(0) == population.fingerprint(0)


def test_every_call_makes_a_new_model(two_neurons):
    for population in (NoisyCopies(two_neurons, 0, 2), TrainingSeeds("2nd_argmax", 2, 2)):
        before = model_digest(population.model(0))
        with torch.no_grad():
            for weight in population.model(0).parameters():
                weight.zero_()
        assert model_digest(population.model(0)) == before


def test_without_noise_copies_are_the_base():
    base = zoo_2nd_argmax(4, 3)
    copy = NoisyCopies(base, 0.0, 1).model(0)
    assert model_digest(copy) == model_digest(base)
    assert copy.dtype == torch.float32


def test_training_seeds_are_the_zoos():
    population = TrainingSeeds("argmedian", 4, 5, n_seqs=2**20)
    assert len(population) == len(SEEDS)
    for seed in SEEDS:
        model = load_model("argmedian", 4, 5, 2**20, seed)
        assert model_digest(population.model(seed)) == model_digest(model)
    assert population.tuning(0, 8) is None
    others = population.tuning_of_others(1, 8)
    assert [base.seed for base in others.bases] == [0, 2, 3, 4]


def test_noisy_copies_of_every_training_seed():
    population = NoisyCopies(TrainingSeeds("2nd_argmax", 2, 2), 0.0, 3)
    assert len(population) == 15
    assert [population.base_of(i) for i in range(15)] == [i // 3 for i in range(15)]
    seeds = [load_model("2nd_argmax", 2, 2, seed=seed) for seed in SEEDS]
    assert model_digest(population.model(7)) == model_digest(seeds[2])
    noisy = NoisyCopies(TrainingSeeds("2nd_argmax", 2, 2), 0.1, 3)
    z = [(flat(noisy.model(i)) - flat(seeds[i // 3])) / 0.1 for i in range(15)]
    assert len({tuple(of_model.round(decimals=3).tolist()) for of_model in z}) == 15
    assert [base.seed for base in noisy.tuning_of_others(3, 2).bases] == [0, 1, 2, 4]
    with pytest.raises(IndexError, match="no number 15"):
        population.base_of(15)


def test_of_two_bases_each_is_the_other_of_the_other():
    pair = tuple(ZooModel("2nd_argmax", 2, 2, seed=seed) for seed in (3, 1))
    population = NoisyCopies(pair, 0.1, 3)
    assert population.tuning_of_others(0, 4).bases == pair[1:]
    assert population.tuning_of_others(1, 4).bases == pair[:1]


def test_a_model_of_your_own_has_the_size_of_its_name(tmp_path):
    """Hidden size and seq_len differ, so that one is not taken for the other."""
    model = zoo_2nd_argmax(4, 3)
    path = tmp_path / "own.pth"
    torch.save(model.state_dict(), path)
    assert model_digest(base_named(f"2nd_argmax_4_3:{path}")) == model_digest(model)
    for name in ("2nd_argmax_4", "2nd_argmax_4_3_1", "2nd_argmax_4_3_1048576_0"):
        with pytest.raises(ValueError, match="models are called"):
            base_named(f"{name}:{path}")


def test_arcs_own_models_by_name(official):
    for name in ("2nd_argmax_2_2:official", "2nd_argmax_2_2_1073741824_2:official"):
        assert read_name(name).name == "2nd_argmax_2_2_1073741824_2_official"
        found = base_named(name)
        assert model_digest(found) == model_digest(zoo_2nd_argmax(2, 2, source="official"))
    assert model_digest(found) != model_digest(zoo_2nd_argmax(2, 2))
    assert read_name("example_2nd_argmax").name == "example_2nd_argmax"
    assert model_digest(base_named("example_2nd_argmax")) == model_digest(example_2nd_argmax())
    assert read_name("median_2_2:folder/mine.pth").name == "median_2_2_mine"
    assert read_name("median_2_2").load().hidden_size == 2


def test_other_bases_are_told_apart_by_their_weights():
    """A model that was passed as an object may be one of the bundled seeds."""
    best = best_seed("2nd_argmax", 2, 2)
    others = NoisyCopies(zoo_2nd_argmax(2, 2), 0.1, 3).tuning_of_others(0, 4)
    assert [base.seed for base in others.bases] == [seed for seed in SEEDS if seed != best]
    assert others.copies == 4
    assert others.stream == "tuning"


def test_models_that_are_more_than_their_weights_are_no_bases():
    """Truths are kept on disk under the weights of a base, and its copies are made of them."""
    model = zoo_2nd_argmax(2, 2)
    handle = model.linear.register_forward_hook(lambda module, args, output: 0 * output)
    for base in (model, (zoo_2nd_argmax(2, 2), model)):
        with pytest.raises(ValueError, match="linear has a forward hook"):
            NoisyCopies(base, 0.1, 3)
    with pytest.raises(TypeError, match="which wraps one: pass its module"):
        NoisyCopies(torch.nn.DataParallel(model), 0.1, 3)
    with pytest.raises(ValueError, match="something else than its weights say"):
        truth(model, 100)
    handle.remove()
    assert len(NoisyCopies(model, 0.1, 3)) == 3


def test_a_size_outside_the_zoo_has_no_other_bases(gaussian_rnn):
    assert NoisyCopies(gaussian_rnn(0, 7, 7), 0.1, 3).tuning_of_others(0, 4) is None


def test_models_by_name():
    assert base_named("2nd_argmax_4_3") == ZooModel("2nd_argmax", 4, 3)
    named = base_named("longest_cycle_2_3_1048576_4")
    assert named == ZooModel("longest_cycle", 2, 3, 2**20, 4)
    assert base_name(named) == "longest_cycle_2_3_1048576_4"
    assert base_name(zoo_median(2, 2)) == "ScalarRNN for median with seq_len 2"
    for name in ("2nd_argmax", "2nd_argmax_4", "3rd_argmax_4_3", "2nd_argmax_4_3_1", "median_-2_2"):
        with pytest.raises(ValueError, match="models are called"):
            base_named(name)
    with pytest.raises(ValueError, match="seq_len 7, please choose one of"):
        base_named("2nd_argmax_4_7")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("2nd_argmax", 2, 2), -0.1, 3), "sd must be at least 0 and finite, got -0.1"),
        ((("2nd_argmax", 2, 2), float("nan"), 3), "sd must be"),
        ((("2nd_argmax", 2, 2), float("inf"), 3), "sd must be"),
        ((("2nd_argmax", 2, 2), 0.1, 0), "n_models must be at least 1, got 0"),
        ((("2nd_argmax", 2, 1), 0.1, 3), "seq_len 1, please choose"),
        (("2nd_argmax_2_2", 0.1, 3), "not '2nd_argmax_2_2'"),
        (((), 0.1, 3), "no base model"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        NoisyCopies(*arguments)
