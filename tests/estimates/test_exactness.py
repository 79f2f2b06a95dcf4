"""Exact values against other methods, on random models and on those made to be hard.

The other methods evaluate the model as it is defined, one input at a time, in fractions. Where
anything changes is found by brute force: every pair of lines is crossed with every other, and each
piece is asked in its middle. Areas are those under great circles, by an antiderivative, with 50
digits. Nothing is shared with the package but the weights.

``ALGZOO_EXACT_MODELS=1000 pytest -s tests/estimates/test_exactness.py`` takes 1,000 models of each
kind and says how large the largest error was; without it there are fewer.
"""

import os
from fractions import Fraction
from itertools import combinations, pairwise, product

import mpmath
import numpy as np
import pytest
import torch

from algzoo.estimates import exact, exhaustive_accuracy
from algzoo.zoo import DistTransformer, ScalarRNN

DIGITS = 50

Q = Fraction
INF = float("inf")


def fractions_of(model):
    """W_hi, W_hh and W_oh as lists of fractions."""
    w_hi, w_hh, w_oh = (p.detach().double().numpy() for p in model.parameters())
    rows = [[[Q(float(x)) for x in row] for row in matrix] for matrix in (w_hi, w_hh, w_oh)]
    return [row[0] for row in rows[0]], rows[1], rows[2]


def run(weights, x):
    """Drives of every step (before the ReLU) and outputs, for one input of fractions."""
    w_hi, w_hh, w_oh = weights
    state = [Q(0)] * len(w_hi)
    drives = []
    for value in x:
        drives.append(
            [
                w * value + sum(a * h for a, h in zip(row, state, strict=True))
                for w, row in zip(w_hi, w_hh, strict=True)
            ]
        )
        state = [max(z, Q(0)) for z in drives[-1]]
    outputs = [sum(a * h for a, h in zip(row, state, strict=True)) for row in w_oh]
    return drives, outputs


def first_largest(values):
    return max(range(len(values)), key=lambda i: (values[i], -i))


def position_of_second(x):
    return sorted(range(len(x)), key=x.__getitem__)[-2]


def intervals(points):
    """Open intervals between the points of a line, and an inner point of each."""
    ends = pairwise([-INF, *sorted(set(points)), INF])
    return [(start, stop, between(start, stop)) for start, stop in ends]


AXIS = (Q(0), Q(0))  # the line on which everything is zero


def root(line, other=AXIS):
    """Where two lines (constant, slope) meet, as a list of none or one."""
    rise = line[1] - other[1]
    return [] if rise == 0 else [(other[0] - line[0]) / rise]


def atan(t):
    """Angle of the ray (1, t), 50 digits."""
    if t in (INF, -INF):
        return mpmath.pi / 2 * (1 if t > 0 else -1)
    return mpmath.atan2(real(t.numerator), real(t.denominator))


def real(x):
    return mpmath.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mpmath.mpf(x)


def after_first(weights, side):
    """Of the drives after the second input, what the first has left: W_hh h1."""
    w_hi, w_hh, _ = weights
    first = [max(w * side, Q(0)) for w in w_hi]
    return [sum(a * h for a, h in zip(row, first, strict=True)) for row in w_hh]


def read_lines(weights, rows, side, inner):
    """Readouts of the second state by ``rows``, each (constant, slope) in t, around ``inner``."""
    offset = after_first(weights, side)
    on = [j for j, (a, w) in enumerate(zip(offset, weights[0], strict=True)) if a + w * inner > 0]
    return [
        (sum((r[j] * offset[j] for j in on), Q(0)), sum((r[j] * weights[0][j] for j in on), Q(0)))
        for r in rows
    ]


def kinks(weights, side):
    """Where a drive after the second input vanishes on the line x0 = side."""
    offset = after_first(weights, side)
    return [-a / w for a, w in zip(offset, weights[0], strict=True) if w]


def accuracy_in_plane(model):
    """Accuracy of a 2nd-argmax model of two inputs."""
    weights = fractions_of(model)
    right = mpmath.mpf(0)
    for side in (Q(1), Q(-1)):
        for low, high, inner in intervals(kinks(weights, side)):
            zero, one = read_lines(weights, weights[2], side, inner)
            cuts = [t for t in [side, *root(one, zero)] if low < t < high]
            for start, stop in pairwise([low, *sorted(set(cuts)), high]):
                t = between(start, stop)
                if first_largest(run(weights, [side, t])[1]) == position_of_second([side, t]):
                    right += atan(stop) - atan(start)
    return right / (2 * mpmath.pi)


def between(start, stop):
    if start == -INF:
        return Q(0) if stop == INF else stop - 1
    return start + 1 if stop == INF else (start + stop) / 2


def square_in_plane(model):
    """Mean squared error of a median model of two inputs."""
    weights = fractions_of(model)
    total = mpmath.mpf(0)
    for side in (Q(1), Q(-1)):
        for low, high, inner in intervals(kinks(weights, side)):
            ((a, b),) = read_lines(weights, weights[2], side, inner)
            p, q = real(a - side / 2), real(b - Q(1, 2))  # of (|x0|, x1)

            def antiderivative(angle, p=p, q=q):  # of (p cos + q sin)^2
                double = mpmath.sin(2 * angle) / 4
                return (
                    p * p * (angle / 2 + double)
                    + q * q * (angle / 2 - double)
                    + p * q * mpmath.sin(angle) ** 2
                )

            total += antiderivative(atan(high)) - antiderivative(atan(low))
    return total / mpmath.pi  # the mean of the square of the distance is 2


def accuracy_on_sphere(model):
    """Accuracy of a 2nd-argmax model of three inputs."""
    weights = fractions_of(model)
    area = mpmath.mpf(0)
    for side in (Q(1), Q(-1)):
        for low, high, inner in intervals([*kinks(weights, side), side]):
            area += _right_area(weights, side, low, high, inner)
    return area / (4 * mpmath.pi)


def _right_area(weights, side, low, high, inner):
    """Area of the right answers in a sector."""
    w_hi = weights[0]
    of_drives = read_lines(weights, weights[1], side, inner)
    lines, turns = [(side, Q(0)), (Q(0), Q(1))], []  # c = x0 and c = x1, in units of |x0|
    for (alpha, beta), w in zip(of_drives, w_hi, strict=True):
        if w:
            lines.append((-alpha / w, -beta / w))
        else:
            turns += root((alpha, beta))
    lines = list(dict.fromkeys(lines))
    turns += [t for one, other in combinations(lines, 2) for t in root(one, other)]
    area = mpmath.mpf(0)
    for start, stop in pairwise([low, *sorted({t for t in turns if low < t < high}), high]):
        t = between(start, stop)
        ordered = sorted(lines, key=lambda line: line[0] + line[1] * t)
        for below, above in pairwise([None, *ordered, None]):
            area += _right_area_of_cell(weights, side, of_drives, (start, stop, t), below, above)
    return area


def _right_area_of_cell(weights, side, of_drives, span, below, above):
    """Area of the right answers between two lines that do not cross, all neurons' states fixed."""
    w_hi, _, w_oh = weights
    start, stop, t = span
    c = _within(below, above, t)
    drives = [a + b * t + w * c for (a, b), w in zip(of_drives, w_hi, strict=True)]
    on = [k for k, z in enumerate(drives) if z > 0]
    logits = [
        (
            sum((row[k] * of_drives[k][0] for k in on), Q(0)),
            sum((row[k] * of_drives[k][1] for k in on), Q(0)),
            sum((row[k] * w_hi[k] for k in on), Q(0)),
        )
        for row in w_oh
    ]
    x = [side, t, c]
    right = position_of_second(x)
    cutting, turns = [], []
    for one, other in combinations(logits, 2):
        p, q, r = (a - b for a, b in zip(one, other, strict=True))
        if r:
            cutting.append((-p / r, -q / r))
        else:
            turns += root((p, q))
    cutting = list(dict.fromkeys(cutting))
    borders = [line for line in (below, above) if line is not None]
    turns += [t for line in cutting for other in borders for t in root(line, other)]
    turns += [t for one, other in combinations(cutting, 2) for t in root(one, other)]
    area = mpmath.mpf(0)
    for first, last in pairwise([start, *sorted({t for t in turns if start < t < stop}), stop]):
        t = between(first, last)
        levels = sorted(
            {
                line
                for line in cutting
                if (below is None or _at(line, t) > _at(below, t))
                and (above is None or _at(line, t) < _at(above, t))
            },
            key=lambda line: _at(line, t),
        )
        for under, over in pairwise([below, *levels, above]):
            c = _within(under, over, t)
            values = [p + q * t + r * c for p, q, r in logits]
            if first_largest(values) == right:
                area += under_line(over, first, last, +1) - under_line(under, first, last, -1)
    return area


def _at(line, t):
    return line[0] + line[1] * t


def _within(below, above, t):
    if below is None:
        return Q(0) if above is None else _at(above, t) - 1
    return _at(below, t) + 1 if above is None else (_at(below, t) + _at(above, t)) / 2


def under_line(line, start, stop, pole):
    """Integral of sin(latitude) over the longitudes from t = start to stop, on a line or a pole.

    On the great circle through (1, t, A + B t), tan(latitude) = A cos + B sin, of which the sine's
    integral is the arc tangent of (A sin - B cos) / sqrt(1 + (A cos + B sin)^2).
    """
    if line is None:
        return pole * (atan(stop) - atan(start))
    a, b = real(line[0]), real(line[1])

    def antiderivative(t):
        angle = atan(t)
        cos, sin = mpmath.cos(angle), mpmath.sin(angle)
        return mpmath.atan2(a * sin - b * cos, mpmath.sqrt(1 + (a * cos + b * sin) ** 2))

    return antiderivative(stop) - antiderivative(start)


def accuracy_over_functions(model):
    """Accuracy of a longest-cycle transformer, by its definition in float64, one head a layer."""
    state = {key: p.detach().double().numpy() for key, p in model.state_dict().items()}
    n = model.seq_len
    right = 0
    for function in product(range(n), repeat=n):
        x = state["embed.weight"][list(function)] + state["pos_embed.weight"]
        for layer in range(model.n_layers):
            query, key, value = (
                x @ w.T for w in np.split(state[f"attns.{layer}.in_proj_weight"], 3)
            )
            scores = query @ key.T / np.sqrt(model.hidden_size)
            attention = np.exp(scores - scores.max(1, keepdims=True))
            attention /= attention.sum(1, keepdims=True)
            x = x + attention @ value @ state[f"attns.{layer}.out_proj.weight"].T
        right += (state["unembed.weight"] @ x[-1]).argmax() == longest_cycle(function) - 1
    return Q(int(right), n**n)


def longest_cycle(function):
    longest = 0
    for start in range(len(function)):
        place, steps = function[start], 1
        while place != start and steps <= len(function):
            place, steps = function[place], steps + 1
        longest = max(longest, steps if place == start else 0)
    return longest


def mean_square_of_gradient(model):
    """Over the inputs, of output minus median: the scale of a median model's squared error."""
    weights = fractions_of(model)
    total = mpmath.mpf(0)
    for side in (Q(1), Q(-1)):
        for low, high, inner in intervals(kinks(weights, side)):
            ((a, b),) = read_lines(weights, weights[2], side, inner)
            square = (a - side / 2) ** 2 + (b - Q(1, 2)) ** 2
            total += real(square) * (atan(high) - atan(low))
    return total / (2 * mpmath.pi)


# The models

N_MODELS = int(os.environ.get("ALGZOO_EXACT_MODELS", "40"))

BOUND = {2: 1e-14, 3: 1e-13}  # of the absolute error of an accuracy, by number of inputs


def gaussian(rng, shape):
    return rng.standard_normal(shape)


def whole(rng, shape):
    """Ties, zeros and lines that coincide."""
    return rng.integers(-2, 3, shape).astype(float)


def sparse(rng, shape):
    return rng.standard_normal(shape) * (rng.random(shape) < 0.5)


def scattered(rng, shape):
    return rng.standard_normal(shape) * 10.0 ** rng.uniform(-12, 12, shape)


def dyadic(rng, shape):
    return rng.integers(-3, 4, shape) * 2.0 ** rng.integers(-40, 41, shape)


DRAWS = (gaussian, whole, sparse, scattered, dyadic)


def duplicated(rng, weights):
    """A neuron twice, or nearly, so that their boundaries leave slivers."""
    w_hi, w_hh, w_oh = (matrix.copy() for matrix in weights)
    if len(w_hi) > 1:
        w_hi[1], w_hh[1], w_oh[:, 1] = w_hi[0], w_hh[0], w_oh[:, 0]
        w_hh[:, 1] = w_hh[:, 0]
    return sliver(rng, (w_hi, w_hh, w_oh)) if rng.random() < 0.7 else (w_hi, w_hh, w_oh)


def sliver(rng, weights):
    """Changes of a part in 1e12."""
    return tuple(w * (1 + rng.choice([0, 1e-12, -1e-12, 2**-50], w.shape)) for w in weights)


def mirrored(rng, weights):
    """W_hi of both signs and rows in pairs, as in models with the antipodal symmetry."""
    w_hi, w_hh, w_oh = (matrix.copy() for matrix in weights)
    w_hi[1::2] = -w_hi[: len(w_hi) // 2 * 2 : 2]
    for row in (*w_hh, *w_oh):
        row[1::2] = row[: len(row) // 2 * 2 : 2]
    return sliver(rng, (w_hi, w_hh, w_oh))


def nearly_right(rng, weights):
    """Two neurons on two inputs that are right but for slivers."""
    del weights
    gap = 10.0 ** rng.uniform(-13, -1, (2, 2))
    return (
        np.array([1.0, -1.0]),
        np.array([[-0.5, 2], [1, -0.5]]) * (1 + gap),
        np.array([[0.0, 0.0], [-1.0, 4.0]]) * rng.uniform(0.9, 1.1),
    )


def logits_tie(rng, weights):
    w_hi, w_hh, w_oh = (matrix.copy() for matrix in weights)
    w_oh[-1] = w_oh[0]
    return w_hi, w_hh, sliver(rng, (w_oh,))[0] if rng.random() < 0.5 else w_oh


def unchanged(rng, weights):
    del rng
    return weights


CHANGES = (unchanged, duplicated, sliver, mirrored, logits_tie)


def models(make, seq_len, n_outputs, seed):
    """Pairs of a description and a model; the kinds take turns."""
    rng = np.random.default_rng(seed)
    for i in range(N_MODELS):
        draw, change = DRAWS[i % len(DRAWS)], CHANGES[i // len(DRAWS) % len(CHANGES)]
        hidden_size = int(rng.integers(1, 7 if seq_len == 2 else 5))
        shapes = (hidden_size,), (hidden_size, hidden_size), (n_outputs, hidden_size)
        if seq_len == n_outputs == 2 and i % 7 == 6:
            change = nearly_right
        weights = change(rng, tuple(draw(rng, shape) for shape in shapes))
        yield f"{i}: {draw.__name__}, {change.__name__}, {hidden_size}", make(*weights, seq_len)


@pytest.fixture
def make_median():
    def make(w_hi, w_hh, w_oh, seq_len):
        model = ScalarRNN(len(w_hi), seq_len).double()
        weights = (np.array(w_hi)[:, None], w_hh, w_oh)
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), weights, strict=True):
                parameter.copy_(torch.as_tensor(value))
        return model

    return make


@pytest.fixture(autouse=True)
def many_digits():
    with mpmath.workdps(DIGITS):
        yield


@pytest.mark.parametrize("seq_len", [2, 3])
def test_accuracy_is_that_of_another_method(make_rnn, seq_len):
    method = {2: accuracy_in_plane, 3: accuracy_on_sphere}[seq_len]
    worst = 0.0
    for kind, model in models(make_rnn, seq_len, seq_len, seed=seq_len):
        estimate = exact(model)
        error = abs(float(estimate.value - method(model)))
        assert error <= BOUND[seq_len], kind
        assert estimate.std == 0
        assert 0 <= estimate.value <= 1
        worst = max(worst, error)
    print(f"{N_MODELS} models of {seq_len} inputs: largest error {worst:.1e}")


def test_squared_error_is_that_of_another_method(make_median):
    worst = 0.0
    for kind, model in models(make_median, 2, 1, seed=5):
        right = square_in_plane(model)
        error = abs(float(exact(model).value - right))
        scale = float(mean_square_of_gradient(model))
        assert error <= 1e-14 * scale, kind
        worst = max(worst, error / scale)
    print(f"{N_MODELS} median models: largest error {worst:.1e} of the gradient's square")


@pytest.mark.parametrize("seed", range(max(4, N_MODELS // 20)))
def test_longest_cycle_is_that_of_another_forward_pass(seed):
    generator = torch.Generator().manual_seed(seed)
    model = DistTransformer(2 + seed % 3, 3 + seed % 2, n_layers=1 + seed // 2 % 2).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    assert exhaustive_accuracy(model) == accuracy_over_functions(model)
