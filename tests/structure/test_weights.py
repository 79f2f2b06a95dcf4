import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from algzoo.structure import Weights, outputs, weights_of
from algzoo.zoo import DistRNN, DistTransformer, ScalarRNN, zoo_2nd_argmax


def test_weights_of_names_the_matrices():
    w_hi, w_hh, w_oh = weights_of(zoo_2nd_argmax(3, 4))
    assert (w_hi.shape, w_hh.shape, w_oh.shape) == ((3,), (3, 3), (4, 3))
    assert w_hi.dtype == w_hh.dtype == w_oh.dtype == np.float64


def test_weights_of_gives_copies():
    model = zoo_2nd_argmax(2, 2)
    before = model.linear.weight.detach().clone()
    weights_of(model).w_oh[:] = 0
    model64 = zoo_2nd_argmax(2, 2).double()  # no conversion that would copy
    weights_of(model64).w_oh[:] = 0
    assert torch.equal(model.linear.weight, before)
    assert torch.equal(model64.linear.weight, before.double())


def test_models_with_biases_are_refused():
    with pytest.raises(ValueError, match="bias"):
        weights_of(DistRNN(2, 2, bias=True))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("parameter", "name"),
    [("rnn.weight_ih_l0", "w_hi"), ("rnn.weight_hh_l0", "w_hh"), ("linear.weight", "w_oh")],
)
def test_weights_that_are_not_finite_are_refused(parameter, name, value):
    model = DistRNN(2, 2)
    with torch.no_grad():
        model.get_parameter(parameter)[1, 0] = value
    with pytest.raises(ValueError, match=f"{name} holds a weight that is not finite"):
        weights_of(model)


@pytest.mark.parametrize("model", [DistTransformer(2, 3), nn.Linear(2, 2), None])
def test_other_models_are_refused(model):
    with pytest.raises(TypeError, match=type(model).__name__):
        weights_of(model)


@pytest.mark.parametrize("model", [DistRNN(3, 4), ScalarRNN(5, 2)], ids=["Dist", "Scalar"])
def test_outputs_are_those_of_torch(model):
    torch.manual_seed(0)
    model = model.double()
    x = torch.randn(20, model.seq_len, dtype=torch.float64)
    expected = model(x).detach().numpy()
    np.testing.assert_allclose(outputs(weights_of(model), x.numpy()), expected, atol=1e-14)


@given(st.integers(0, 2**32 - 1))
def test_outputs_of_many_models_are_those_of_each(seed):
    rng = np.random.default_rng(seed)
    weights = Weights(*(rng.standard_normal((5, *shape)) for shape in [(3,), (3, 3), (2, 3)]))
    shared_x = rng.standard_normal((4, 2))
    own_x = rng.standard_normal((5, 4, 2))
    for i in range(5):
        one = Weights(*(matrix[i] for matrix in weights))
        np.testing.assert_allclose(
            outputs(weights, shared_x)[i], outputs(one, shared_x), atol=1e-13
        )
        np.testing.assert_allclose(outputs(weights, own_x)[i], outputs(one, own_x[i]), atol=1e-13)
