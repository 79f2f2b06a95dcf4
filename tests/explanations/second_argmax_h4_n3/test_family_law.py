from dataclasses import replace

import numpy as np
import pytest
import torch

from algzoo.estimates import exact
from algzoo.explanations.measures import FAIR_SIGN
from algzoo.explanations.second_argmax_h4_n3.family_law import family_law, members_within
from algzoo.explanations.second_argmax_h4_n3.lambda_family import lambda_error, lambda_of
from algzoo.explanations.second_argmax_h4_n3.ledgers import symmetry_ledger
from algzoo.scoring import Check, Ledger
from algzoo.structure import outputs
from algzoo.zoo import DistRNN, handcrafted_2nd_argmax, zoo_2nd_argmax


@pytest.fixture(scope="module")
def m43():
    return zoo_2nd_argmax(4, 3, seed=0)


def accuracy(weights, place):
    model = DistRNN(4, 3).double()
    state = [torch.as_tensor(matrix[place]) for matrix in weights]
    state[0] = state[0][:, None]
    model.load_state_dict(dict(zip(model.state_dict(), state, strict=True)))
    return exact(model).value


@pytest.mark.parametrize("lam", [1.5, 4.0, 20.0])
def test_without_gaps_it_is_the_member_of_the_family(lam):
    """The formula's error has no part in the drawing."""
    member = handcrafted_2nd_argmax(3, lam=lam, dtype=torch.float64)
    found = symmetry_ledger(member)
    tight = Ledger(
        [c if c.kind == "sign" else replace(c, threshold=1e-9) for c in found.checks],
        found.weights,
    )
    drawn = members_within(tight, lam, 4, np.random.default_rng(0))
    for place in range(4):
        assert accuracy(drawn, place) == pytest.approx(1 - lambda_error(lam), abs=1e-6)


@pytest.mark.parametrize("tolerance", [2**-5, None])
def test_the_gaps_fill_what_the_ledger_claims_and_no_more(m43, tolerance):
    """They are measured by the ledger's own checks."""
    ledger = symmetry_ledger(m43, tolerance)
    drawn = members_within(ledger, lambda_of(m43), 500, np.random.default_rng(1))
    for check in ledger.checks:
        values = check.measure(drawn)
        assert values.shape == (500,)
        assert check.holds(drawn).all()
        if check.kind == "equality":
            assert 0.9 * check.threshold < values.max() <= check.threshold
            assert values.min() < 0.1 * check.threshold


def test_the_law_is_that_of_exact_accuracies(m43):
    ledger, lam = symmetry_ledger(m43), lambda_of(m43)
    drawn = members_within(ledger, lam, 100, np.random.default_rng(7))
    exactly = np.array([accuracy(drawn, place) for place in range(100)])
    expected = np.log(exactly / (1 - exactly))
    predicted, sd = family_law(ledger, lam)
    error = expected.std() / np.sqrt(100)
    assert abs(np.log(predicted / (1 - predicted)) - expected.mean()) < 4 * error
    assert sd == pytest.approx(expected.std(), rel=0.25)


def test_all_networks_are_run_where_they_do_not_fill_a_batch(m43):
    ledger, lam = symmetry_ledger(m43), lambda_of(m43)
    rng = np.random.default_rng(4)
    drawn = members_within(ledger, lam, 70, rng)
    x = rng.standard_normal((2**12, 3))
    answers = outputs(drawn, np.broadcast_to(x, (70, *x.shape))).argmax(-1)
    n_right = (answers == np.argsort(x, axis=-1)[:, 1]).sum(-1)
    logits = np.log((n_right + 0.5) / (2**12 - n_right + 0.5))
    predicted, sd = family_law(ledger, lam, n_networks=70, seed=4)
    assert np.log(predicted / (1 - predicted)) == pytest.approx(logits.mean())
    assert sd == pytest.approx(logits.std(ddof=1))


def test_a_random_k_of_the_claimed_size_is_what_costs_accuracy(m43):
    ledger, lam = symmetry_ledger(m43, None), lambda_of(m43)
    entries = [f"K[{i}, {j}]" for i in range(2) for j in range(2)]
    with_k, _ = family_law(ledger, lam, n_networks=64)
    without_k, _ = family_law(ledger, lam, n_networks=64, exactly=entries)
    assert with_k < 0.9 < without_k < exact(m43).value


def test_the_same_seed_gives_the_same_law(m43):
    ledger, lam = symmetry_ledger(m43), lambda_of(m43)
    first, again, other = (family_law(ledger, lam, n_networks=3, seed=s) for s in (0, 0, 1))
    assert first == again != other


def test_what_is_refused(m43):
    ledger = symmetry_ledger(m43)
    with pytest.raises(ValueError, match="lam must be positive, got 0"):
        family_law(ledger, 0)
    strict = symmetry_ledger(m43, 2**-10)
    with pytest.raises(ValueError, match=r"fail on the ledger's own model: size of W_"):
        family_law(strict, 4.0)
    # A statement that is true of one model and of no stack of models.
    one = Check("one", "sign", "", stacked, "<", 0.0, FAIR_SIGN)
    with pytest.raises(ValueError, match="satisfies all checks"):
        members_within(
            Ledger([*ledger.checks, one], ledger.weights), 4.0, 8, np.random.default_rng(0)
        )


def stacked(weights):
    """Negative for the weights of one model, positive for those of several."""
    return np.full(weights.w_hi.shape[:-1], weights.w_hi.ndim - 1.5)
