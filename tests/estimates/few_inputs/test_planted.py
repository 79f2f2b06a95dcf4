import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch
from mpmath import mp, mpf

from algzoo.estimates import error_rate, margin_tail, plant_cone, sampling
from algzoo.structure import weights_of
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax, zoo_argmedian

MODELS = {
    "exact (2, 2)": lambda: handcrafted_2nd_argmax(2),
    "trained (2, 2)": lambda: zoo_2nd_argmax(2, 2),
    "exact (4, 3)": lambda: handcrafted_2nd_argmax(3),
    "trained (4, 3)": lambda: zoo_2nd_argmax(4, 3),
}


def k_and_gain(planted):
    _, w_hh, w_oh = weights_of(planted.model)
    (trigger,) = planted.trigger
    return -w_hh[trigger, -2], w_oh[planted.answer, trigger]


def last_axis(n, side):
    return [0.0] * (n - 1) + [float(side)]


def fires(state, planted):
    return (state[:, planted.trigger] > 0).all(axis=1)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("mass", [1e-3, 1e-6, 1e-9, 1e-13])
def test_the_mass_is_the_angle_where_the_logits_tie(mass, side):
    planted = plant_cone(handcrafted_2nd_argmax(2), mass, 5.0, last_axis(2, side))
    # Logit 1 less logit 0 is 2 (x0 - x1), and the trigger's gain is 7 on either side.
    k, gain = k_and_gain(planted)
    assert gain == 7
    # For side +1: 2 x0 - 2 x1 + 7 (x1 - k |x0|) > 0 where |x0| (7 k -+ 2) < 5 x1, for either sign.
    angle = math.atan(5 / (7 * k - 2)) + math.atan(5 / (7 * k + 2))
    assert planted.mass == pytest.approx(angle / (2 * math.pi), rel=1e-9)
    assert planted.mass == pytest.approx(mass, rel=1e-6)
    # The model that it was made of makes no errors.
    assert margin_tail(planted.model, 0) == pytest.approx(planted.mass, rel=1e-9)
    assert planted.margin == 5


def logits_of(model, x):
    w_hi, w_hh, w_oh = weights_of(model)
    state = np.zeros((len(x), len(w_hi)))
    for column in x.T:
        state = np.maximum(column[:, None] * w_hi + state @ w_hh.T, 0)
    return state @ w_oh.T, state


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("kind", ["exact (4, 3)", "trained (4, 3)"])
def test_the_mass_on_three_inputs_is_an_area_in_the_plane_across(kind, side):
    planted = plant_cone(MODELS[kind](), 1e-9, 5.0, last_axis(3, side))
    # Random points (u, v, side) in a square around the axis; so thin a cone is flat.
    k, gain = k_and_gain(planted)
    half_width = 1.2 * planted.margin / (gain * k)
    u, v = half_width * np.random.default_rng(0).uniform(-1, 1, (2, 4_000_000))
    logits, state = logits_of(planted.model, np.stack([u, v, np.full(u.size, float(side))], axis=1))
    named = fires(state, planted) & (logits.argmax(axis=1) == planted.answer)
    share = planted.mass * 4 * math.pi / (2 * half_width) ** 2
    assert 0.1 < share < 0.5
    assert abs(named.mean() - share) < 4 * math.sqrt(share / u.size)


DIRECTIONS = {
    2: [(0, 1), (0, -3), (1, 0.3), (-2, 1), (-1, -1.5), (1e-3, -1)],
    3: [(0, 0, 2), (0, 0, -1), (0, 1, -0.5), (0, -1, 0.3), (1, -2, 2), (-0.3, 0.2, -1), (2, 0, 1)],
}
CASES = [
    *(("trained (2, 2)", direction) for direction in DIRECTIONS[2]),
    *(("trained (4, 3)", direction) for direction in DIRECTIONS[3]),
    ("exact (2, 2)", (-2, 1)),
    ("exact (4, 3)", (0, 1, -0.5)),
    ("exact (4, 3)", (-0.3, 0.2, -1)),
]


def exact_logits(model, point):
    """In exact arithmetic on the stored weights, without the package."""
    named = model.state_dict()
    w_hi, w_hh, w_oh = (
        [[Fraction(w) for w in row] for row in named[name].tolist()]
        for name in ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "linear.weight")
    )
    state = [Fraction(0)] * len(w_hi)
    for x in map(Fraction, point):
        drive = [
            w * x + sum(a * h for a, h in zip(row, state, strict=True) if a and h)
            for (w,), row in zip(w_hi, w_hh, strict=True)
        ]
        state = [max(z, Fraction(0)) for z in drive]
    return [sum(a * h for a, h in zip(row, state, strict=True) if a and h) for row in w_oh], state


@pytest.mark.parametrize(("kind", "direction"), CASES)
def test_outside_the_cone_every_logit_is_exactly_what_it_was(kind, direction):
    model = MODELS[kind]()
    planted = plant_cone(model, 1e-4, 50.0, direction)
    generator = np.random.default_rng(0)
    x = generator.standard_normal((40, model.seq_len))
    spread = {2: 0.005, 3: 0.03}[model.seq_len]
    near = np.array(planted.axis) + spread * generator.standard_normal((40, model.seq_len))
    n_fired = 0
    for point in [*x.tolist(), *near.tolist()]:
        before, _ = exact_logits(model, point)
        after, state = exact_logits(planted.model, point)
        if all(state[neuron] > 0 for neuron in planted.trigger):
            n_fired += 1
            assert after[planted.answer] > before[planted.answer]
            after[planted.answer] = before[planted.answer]
        assert before == after
    assert 2 < n_fired < 40


@pytest.mark.parametrize(("kind", "direction"), CASES)
def test_the_margin_on_the_axis(kind, direction):
    planted = plant_cone(MODELS[kind](), 1e-7, 3.0, direction)
    assert planted.axis == pytest.approx(np.array(direction) / np.linalg.norm(direction), abs=1e-6)
    logits, _ = exact_logits(planted.model, planted.axis)
    lead = logits.pop(planted.answer) - max(logits)
    assert planted.margin == pytest.approx(float(lead), rel=1e-6)
    assert planted.margin == pytest.approx(3, rel=1e-5)
    # Beyond it there is less than any length of inputs can make up for.
    part = margin_tail(planted.model, 3.0, neurons=planted.trigger, answer=planted.answer)
    assert 0 < part < planted.mass * math.erfc(1 / math.sqrt(2)) * 3


def error_in_digits(planted, point):
    """Margin of the planted answer in the context's digits; negative where it is not given."""
    w_hi, w_hh, w_oh = (matrix.tolist() for matrix in weights_of(planted.model))
    state = [mpf(0)] * len(w_hi)
    for x in point:
        drive = [w * x + mpmath.fdot(row, state) for w, row in zip(w_hi, w_hh, strict=True)]
        state = [max(z, mpf(0)) for z in drive]
    logits = [mpmath.fdot(row, state) for row in w_oh]
    return logits.pop(planted.answer) - max(logits)


def ray_on_the_axis(planted):
    """Exact axis, from the stored weights of the neurons that are active in the cone."""
    w_hi, w_hh, _ = weights_of(planted.model)
    old = planted.trigger[0] - {2: 2, 3: 8}[planted.model.seq_len]
    first = w_hi[old]
    above = planted.trigger[1] - (6 if planted.model.seq_len == 3 else 0)
    ray = [mpf(first), -mpf(w_hh[above, old + 1]) / mpf(w_hi[above])]
    if planted.model.seq_len == 3:
        ray.append(-mpf(w_hh[planted.trigger[1], old + 7]) / mpf(w_hi[planted.trigger[1]]))
    return ray


def way_to_the_edge(planted, ray, step):
    """How many steps from the axis the answer changes, in the context's digits."""

    def is_inside(steps):
        return error_in_digits(planted, [x + steps * s for x, s in zip(ray, step, strict=True)]) > 0

    inside, outside = mpf(0), mpf(1)
    assert is_inside(inside)
    while is_inside(outside):
        inside, outside = outside, 2 * outside
    for _ in range(110):
        middle = (inside + outside) / 2
        if is_inside(middle):
            inside = middle
        else:
            outside = middle
    return outside


@pytest.mark.parametrize("kind", ["exact (2, 2)", "trained (2, 2)"])
@pytest.mark.parametrize("direction", [(1, 0.3), (-1, -1.5)])
@pytest.mark.parametrize("mass", [1e-2, 1e-5, 1e-13])
def test_the_mass_is_an_angle_in_45_digits(kind, direction, mass):
    planted = plant_cone(MODELS[kind](), mass, 20.0, direction)
    assert planted.mass == pytest.approx(mass, rel=1e-5)
    with mp.workdps(45):
        ray = ray_on_the_axis(planted)
        angle = mpf(0)
        for sign in (1, -1):
            step = (mpf(0), mpf(sign) * mpf(mass))
            edge = ray[1] + way_to_the_edge(planted, ray, step) * step[1]
            angle += abs(mpmath.atan(edge) - mpmath.atan(ray[1]))
        assert abs(planted.mass * 2 * mp.pi / angle - 1) < 1e-13


def interior_angle(before, corner, after):
    """Angle of a polygon on the sphere, between the planes through the corner's ray."""

    def normal(p, q):
        across = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]]
        return [x / mpmath.norm(across) for x in across]

    return mpmath.acos(mpmath.fdot(normal(corner, before), normal(corner, after)))


@pytest.mark.parametrize(
    ("kind", "direction"),
    [("exact (4, 3)", (-0.3, 0.2, -1)), ("trained (4, 3)", (1, -2, 2))],
)
@pytest.mark.parametrize("mass", [1e-5, 1e-9, 1e-13])
def test_the_mass_is_an_area_in_45_digits(kind, direction, mass):
    planted = plant_cone(MODELS[kind](), mass, 500.0, direction)
    assert planted.mass == pytest.approx(mass, rel=1e-5)
    with mp.workdps(45):
        ray = ray_on_the_axis(planted)
        corners = []
        for along, sign in [(1, 1), (2, 1), (1, -1), (2, -1)]:
            step = [sign * mpmath.sqrt(mass) * (k == along) for k in range(3)]
            ways = way_to_the_edge(planted, ray, step)
            corners.append([x + ways * s for x, s in zip(ray, step, strict=True)])
        # No other neuron switches in the cone, so that its edges are straight.
        around = [(corners[k - 2], corners[k - 1], corners[k]) for k in range(4)]
        for _, one, other in around:
            middle = [(x + y) / 2 - r for x, y, r in zip(one, other, ray, strict=True)]
            assert abs(way_to_the_edge(planted, ray, middle) - 1) < 1e-20
        area = mpmath.fsum(interior_angle(*three) for three in around) - 2 * mp.pi
        assert abs(planted.mass * 4 * mp.pi / area - 1) < 1e-12


@pytest.mark.parametrize(("kind", "direction"), CASES)
@pytest.mark.parametrize("mass", [1e-2, 1e-4])
def test_samples_near_the_axis_find_the_mass(kind, direction, mass):
    model = MODELS[kind]()
    planted = plant_cone(model, mass, 50.0, direction)
    # Inputs around the axis, weighted with the density of standard Gaussians over their own.
    n, spread, size = model.seq_len, 3 * mass ** (1 / (model.seq_len - 1)), 300_000
    noise = np.random.default_rng(0).standard_normal((size, n))
    axis = np.array(planted.axis)
    along = noise @ axis
    across = noise - along[:, None] * axis
    length = np.abs(along) * n  # the shape of the distribution along the axis cancels
    x = length[:, None] * axis + spread * length[:, None] * across
    # In the plane at distance 1 the density is Gaussian; that of directions is 1 / |x|^n.
    tilt = across * spread
    square = (tilt**2).sum(axis=1)
    density = np.exp(-square / (2 * spread**2)) / (2 * math.pi * spread**2) ** ((n - 1) / 2)
    total = {2: 2 * math.pi, 3: 4 * math.pi}[n]
    weight = (1 + square) ** (-n / 2) / total / density
    logits, state = logits_of(planted.model, x)
    right = np.argsort(x, axis=1)[:, -2]
    hits = fires(state, planted) & (logits.argmax(axis=1) == planted.answer)
    hits &= right != planted.answer
    terms = weight * hits
    assert hits.sum() > 1000
    assert abs(terms.mean() - planted.mass) < 4 * terms.std() / math.sqrt(size)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("mass", [0.1, 1e-4])
def test_the_right_answer_may_be_planted(kind, mass):
    model = MODELS[kind]()
    direction = {2: (1, 0.2), 3: (1, 0.1, -0.8)}[model.seq_len]
    before, _ = exact_logits(model, direction)
    given = before.index(max(before))
    assert given == np.argsort(direction)[-2]
    with pytest.raises(ValueError, match=f"already gives the answer {given} there, with the"):
        plant_cone(model, mass, 1e-3, direction, answer=given)
    planted = plant_cone(model, mass, 1e4, direction, answer=given)
    assert planted.mass == pytest.approx(mass, rel=1e-5)
    x = np.random.default_rng(1).standard_normal((1_000_000, model.seq_len))
    logits, state = logits_of(planted.model, x)
    is_right = np.argsort(x, axis=1)[:, -2] == given
    share = np.mean(fires(state, planted) & is_right & (logits.argmax(axis=1) == given))
    assert abs(share - mass) < 4 * math.sqrt(mass / len(x))


@pytest.mark.parametrize(("kind", "mass"), [("exact (2, 2)", 1e-3), ("trained (2, 2)", 1e-4)])
def test_sampling_in_float32_finds_the_mass(kind, mass):
    n_samples = 10_000_000
    planted = plant_cone(MODELS[kind](), mass, 5.0)
    assert planted.model.dtype == torch.float32
    error = 1 - sampling(planted.model, n_samples, seed=0).value
    expected = margin_tail(planted.model, 0)
    assert expected > 0.99 * planted.mass
    assert abs(error - expected) < 4 * math.sqrt(expected / n_samples)


def test_a_trigger_that_supports_the_right_answer_adds_no_error():
    model = zoo_2nd_argmax(4, 3)
    planted = plant_cone(model, 1e-3, 100.0, (1, 0.4, -0.8), answer=1)
    before, after = error_rate(model), error_rate(planted.model)
    assert after.by_margin == pytest.approx(before.by_margin, rel=1e-9)
    # The cone without an active neuron remains: there the sum of the new neurons is exactly 0.
    assert after.by_tie == pytest.approx(before.by_tie, rel=1e-7)


def test_the_model_is_not_changed():
    model = zoo_2nd_argmax(2, 2)
    before = {key: weight.clone() for key, weight in model.state_dict().items()}
    plant_cone(model, 1e-5, 5.0)
    assert all(torch.equal(before[key], weight) for key, weight in model.state_dict().items())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.0, 1.0), "mass must be positive and at most 0.1, got 0.0"),
        ((0.5, 1.0), "mass must be positive and at most 0.1, got 0.5"),
        ((1, 1.0), "mass must be positive and at most 0.1, got 1"),
        ((-1e-5, 1.0), "mass must be positive and at most 0.1, got -1e-05"),
        ((math.nan, 1.0), "mass must be positive"),
        ((1e-5, 0.0), "margin must be a positive number, got 0.0"),
        ((1e-5, math.inf), "margin must be a positive number, got inf"),
        ((1e-5, math.nan), "margin must be a positive number, got nan"),
        ((1e-5, 1.0, (0, 0)), r"direction must be 2 finite numbers, not all 0, got \(0, 0\)"),
        ((1e-5, 1.0, (1, 2, 3)), r"direction must be 2 finite numbers, .* got \(1, 2, 3\)"),
        ((1e-5, 1.0, (1, math.nan)), r"direction must be 2 finite numbers, .* got \(1, nan\)"),
        ((1e-5, 1.0, (1, 0), 2), "answer must be from 0 to 1, got 2"),
        ((1e-5, 1.0, (1, 1)), "All inputs are equal on the axis, so that no answer is wrong"),
        ((1e-5, 1.0, (1e-42, 1)), "No cone of mass 1e-05 and margin 1.0 was found in"),
        ((1e-5, 1e39), r"No cone of mass 1e-05 and margin 1e\+39 was found in torch.float32"),
    ],
)
def test_values_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        plant_cone(handcrafted_2nd_argmax(2), *values)


@pytest.mark.parametrize("side", [1, -1])
def test_the_only_wrong_answer_may_be_given_already(side):
    planted = plant_cone(handcrafted_2nd_argmax(2), 1e-5, 5.0, (0, side)).model
    with pytest.raises(ValueError, match="already gives the only wrong answer"):
        plant_cone(planted, 1e-7, 5.0, (0, side))


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="a planted cone is for 2nd-argmax models of two or three"):
        plant_cone(zoo_2nd_argmax(2, 4), 1e-5, 5.0)
    with pytest.raises(ValueError, match="not for DistRNN of argmedian"):
        plant_cone(zoo_argmedian(2, 3), 1e-5, 5.0)


def test_only_some_errors_are_counted():
    model = zoo_2nd_argmax(2, 3)
    by_answer = [margin_tail(model, 1.0, answer=answer) for answer in range(3)]
    assert sum(by_answer) == pytest.approx(margin_tail(model, 1.0), rel=1e-12)
    assert all(margin_tail(model, 1.0, neurons=[k]) <= sum(by_answer) for k in range(2))
    with pytest.raises(ValueError, match="neurons must be from 0 to 1, got 2"):
        margin_tail(model, 1.0, neurons=[2])
    with pytest.raises(ValueError, match="answer must be from 0 to 2, got -1"):
        margin_tail(model, 1.0, answer=-1)
