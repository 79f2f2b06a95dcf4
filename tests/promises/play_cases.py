"""Cases in which the page "Play with the networks" must agree with the package, printed as JSON.

tests/chapters/figures/test_play_page.py gives them to Node.js, and `make play` to a browser.
"""

import json

import numpy as np
import torch

from algzoo import handcrafted_2nd_argmax, zoo_2nd_argmax, zoo_median
from algzoo.estimates import exact
from algzoo.explanations.second_argmax_h4_n3.lambda_family import lambda_error
from algzoo.structure import cones, outputs, weights_of
from algzoo.zoo import DistRNN, task_2nd_argmax

N_INPUTS = 100  # of each network


def cases(seed=0):
    """Networks on random inputs, networks of two inputs, and members of M4,3's family."""
    rng = np.random.default_rng(seed)
    return {
        "networks": [_network(model, rng) for model in _networks()],
        "planes": [_plane(model) for model in _planes(rng)],
        "family": {lam: lambda_error(lam) for lam in (0.1, 0.5, 1.0, 4.0, 10.0, 100.0)},
        "trained": 1 - exact(zoo_2nd_argmax(2, 2)).value,
        "moved": _moved(),
    }


def _networks():
    return (
        zoo_2nd_argmax(2, 2),
        zoo_2nd_argmax(4, 3),
        zoo_2nd_argmax(16, 10),
        handcrafted_2nd_argmax(10),
        zoo_median(2, 2),
    )


def _network(model, rng):
    x = rng.standard_normal((N_INPUTS, model.seq_len))
    logits = outputs(weights_of(model), x)
    return {
        "weights": plain(model),
        "inputs": x.tolist(),
        "outputs": logits.tolist(),
        "answers": logits.argmax(-1).tolist(),
        "right": task_2nd_argmax(torch.as_tensor(x)).tolist(),
    }


def _moved():
    """M2,2 with one weight a step of its slider, 0.001, away from where the slider stands."""
    model = zoo_2nd_argmax(2, 2).double()
    place = model.rnn.weight_hh_l0
    with torch.no_grad():
        place[1, 0] = round(round(place[1, 0].item(), 3) + 0.001, 3)
    return {"value": place[1, 0].item(), "error": 1 - exact(model).value}


def _planes(rng):
    """Trained and handcrafted networks, random ones, and ones in which many numbers coincide."""
    yield from (zoo_2nd_argmax(2, 2, seed=seed) for seed in range(5))
    yield zoo_2nd_argmax(2, 2, n_seqs=0)
    yield handcrafted_2nd_argmax(2)
    for hidden_size in (2, 2, 2, 5):
        for rounded in (np.asarray, np.rint, lambda w: np.round(2 * w) / 10):
            for _ in range(25):
                draw = [rng.standard_normal(s) for s in ((hidden_size, 1), (hidden_size,) * 2)]
                yield _of(*map(rounded, draw), rounded(rng.standard_normal((2, hidden_size))))


def _of(w_hi, w_hh, w_oh):
    model = DistRNN(len(w_hh), 2).double()
    matrices = (torch.tensor(matrix) for matrix in (w_hi, w_hh, w_oh))
    model.load_state_dict(dict(zip(model.state_dict(), matrices, strict=True)))
    return model


def _plane(model):
    pieces = [[*cone.angles, cone.a0, cone.a1] for cone in cones(model)]
    return {"weights": plain(model), "error": 1 - exact(model).value, "wedges": pieces}


def plain(model):
    """Weights of a model as lists."""
    return {name: matrix.tolist() for name, matrix in weights_of(model)._asdict().items()}


if __name__ == "__main__":
    print(json.dumps(cases()))
