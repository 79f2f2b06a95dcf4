"""Exact values against other methods, on random models and on those made to be hard.

What ``exact`` promises is checked against

- 2nd argmax of two and three inputs, argmedian of three: sums of angles and areas, error 1e-14 and
  1e-13 at most;
- median of two and three inputs: integrals of the squared error over angles and areas, relative
  error 1e-14 at most;
- all of these: samples, by z-scores, on a trained model, one with noise and a random one of each;
- longest cycle: another forward pass on every function, equal to the last digit.

The other methods evaluate the model as it is defined, one input at a time, in fractions. Where
anything changes is found by brute force: every pair of lines is crossed with every other, and each
piece is asked in its middle. Areas, and integrals of squares, are those under great circles, by
antiderivatives, with 50 digits or more. Nothing is shared with the package but the weights.

::

    ALGZOO_EXACT_MODELS=1000 pytest -s tests/estimates/test_exactness.py -k another
    ALGZOO_EXACT_SAMPLES=1000000000 pytest -s tests/estimates/test_exactness.py -k samples

The first takes 1,000 models of each kind and says how large the largest error was, the second draws
10^9 samples and says what the z-scores are; without the variables there are fewer. Each takes some
minutes. With ``--record`` what they say is appended to ``tests/promises/runs.jsonl``.
"""

import math
import os
from fractions import Fraction
from itertools import combinations, pairwise, product

import mpmath
import numpy as np
import pytest
import torch

from algzoo.estimates import exact, exhaustive_accuracy
from algzoo.estimates.samplers.iid import ensemble_sampling
from algzoo.zoo import DistTransformer, ScalarRNN, zoo_2nd_argmax, zoo_argmedian, zoo_median

from ..promises import runs

DIGITS = 50
DIGITS_OF_SQUARES = 120  # terms of up to the squares of gradients cancel

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
    """Accuracy of a 2nd-argmax or an argmedian model of three inputs."""
    weights = fractions_of(model)
    of_cells = (_right_area_of_cell(weights, *cell) for cell in cells_on_sphere(weights))
    return mpmath.fsum(of_cells) / (4 * mpmath.pi)


def cells_on_sphere(weights):
    """Pieces in which no neuron switches and the inputs keep their order.

    Each as the side, the drives after the last input (constant and slope in t, without that input),
    its first, last and an inner t, and the lines below and above, which do not cross.
    """
    for side in (Q(1), Q(-1)):
        for low, high, inner in intervals([*kinks(weights, side), side]):
            yield from _cells_of_sector(weights, side, low, high, inner)


def _cells_of_sector(weights, side, low, high, inner):
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
    for start, stop in pairwise([low, *sorted({t for t in turns if low < t < high}), high]):
        t = between(start, stop)
        ordered = sorted(lines, key=lambda line: line[0] + line[1] * t)
        for below, above in pairwise([None, *ordered, None]):
            yield side, of_drives, (start, stop, t), below, above


def outputs_in_cell(weights, of_drives, t, c):
    """Outputs as coefficients of |x0|, x1 and x2, around an inner point of a cell."""
    w_hi, _, w_oh = weights
    drives = [a + b * t + w * c for (a, b), w in zip(of_drives, w_hi, strict=True)]
    on = [k for k, z in enumerate(drives) if z > 0]
    return [
        (
            sum((row[k] * of_drives[k][0] for k in on), Q(0)),
            sum((row[k] * of_drives[k][1] for k in on), Q(0)),
            sum((row[k] * w_hi[k] for k in on), Q(0)),
        )
        for row in w_oh
    ]


def _right_area_of_cell(weights, side, of_drives, span, below, above):
    """Area of the right answers in a cell."""
    start, stop, t = span
    c = _within(below, above, t)
    logits = outputs_in_cell(weights, of_drives, t, c)
    right = position_of_second([side, t, c])  # of three, it is the middle one
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


def square_on_sphere(model):
    """Mean squared error of a median model of three inputs."""
    weights = fractions_of(model)
    square = mpmath.mpf(0)
    for side, of_drives, (start, stop, t), below, above in cells_on_sphere(weights):
        c = _within(below, above, t)
        ((p, q, r),) = outputs_in_cell(weights, of_drives, t, c)
        x = [side, t, c]
        middle = sorted(range(3), key=x.__getitem__)[1]
        gradient = [p - side * (middle == 0), q - (middle == 1), r - (middle == 2)]
        v = [real(x) for x in gradient]
        square += square_under_line(v, above, start, stop, +1)
        square -= square_under_line(v, below, start, stop, -1)
    # The mean of the square of the distance is 3.
    return 3 * square / (4 * mpmath.pi)


def square_under_line(v, line, start, stop, pole):
    """Integral of the square of v . x over longitudes from t = start to stop, on a line or a pole.

    That is, of its integral from the equator to the line, over the sine of the latitude.
    """
    first, last = (_antiderivative_of_square(v, line, t, pole) for t in (start, stop))
    return last - first


def _antiderivative_of_square(v, line, t, pole):
    """Antiderivative, in the longitude, of the integral of (v . x)^2 from the equator to a line.

    With p = v0 cos + v1 sin, tau the tangent of the latitude and s its sine, what is integrated is
    p^2 (s - s^3 / 3) - 2/3 p v2 (1 - s^2)^(3/2) + v2^2 s^3 / 3. On a line, tau = A cos + B sin.
    Let sigma = A sin - B cos; the derivatives are sigma' = tau and tau' = -sigma. Where p is
    written as (h tau + k sigma) / T^2, T^2 = A^2 + B^2, each term is a function of sigma or of tau
    alone times its derivative.
    """
    v0, v1, v2 = v
    cos, sin = _unit_vector(t)
    constant = -(v0 * sin - v1 * cos) * v2 * 2 / 3
    if line is None:
        p_squared = (v0 * v0 + v1 * v1) / 2 * atan(t)
        p_squared += (v0 * v0 - v1 * v1) / 2 * sin * cos + v0 * v1 * sin * sin
        return pole * (p_squared * 2 / 3 + v2 * v2 / 3 * atan(t))
    a, b = real(line[0]), real(line[1])
    if a == b == 0:
        return constant
    tau, sigma, square = a * cos + b * sin, a * sin - b * cos, a * a + b * b
    root = mpmath.sqrt(1 + tau * tau)
    h, k = v0 * a + v1 * b, v1 * a - v0 * b
    of_p = (h * h * sigma * (tau * tau + square / (1 + square)) - k * k * sigma * tau * tau) / root
    of_p -= 2 * h * k * tau**3 / root
    of_p /= square * square
    of_both = -2 * v2 * (h * sigma / (1 + square) - k * tau) / (root * square)
    of_v2 = -v2 * v2 * sigma / ((1 + square) * root)
    of_area = (v0 * v0 + v1 * v1 + v2 * v2) * mpmath.atan2(sigma, root)
    return (of_area + of_p + of_both + of_v2) / 3


def _unit_vector(t):
    """Cosine and sine of the longitude of (1, t)."""
    if t in (INF, -INF):
        return mpmath.mpf(0), mpmath.mpf(1 if t > 0 else -1)
    size = mpmath.sqrt(1 + real(t) ** 2)
    return 1 / size, real(t) / size


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


# The models

N_MODELS = int(os.environ.get("ALGZOO_EXACT_MODELS", "30"))
N_SAMPLES = int(os.environ.get("ALGZOO_EXACT_SAMPLES", str(2**20)))

BOUND = {2: 1e-14, 3: 1e-13}  # of the absolute error of an accuracy, by number of inputs
BOUND_OF_SQUARE = 1e-14  # of the relative error of a mean squared error


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


def opposed(rng, weights):
    """Two neurons that switch almost together and cancel but for a ramp, narrow and steep."""
    w_hi, w_hh, w_oh = (matrix.copy() for matrix in weights)
    if len(w_hi) > 1:
        gap = 10.0 ** rng.uniform(-13, -1)
        w_hi[1], w_hh[1] = w_hi[0], w_hh[0] * (1 + gap)
        w_oh[:, 0] = rng.standard_normal(len(w_oh)) * gap ** -rng.uniform(0, 1)
        w_oh[:, 1] = -w_oh[:, 0]
    return w_hi, w_hh, w_oh


def unchanged(rng, weights):
    del rng
    return weights


CHANGES = (unchanged, duplicated, sliver, mirrored, logits_tie, opposed)


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


@pytest.fixture
def make_argmedian(make_rnn):
    def make(w_hi, w_hh, w_oh, seq_len):
        model = make_rnn(w_hi, w_hh, w_oh, seq_len)
        model.task_name = "argmedian"
        return model

    return make


@pytest.fixture(autouse=True)
def many_digits():
    with mpmath.workdps(DIGITS):
        yield


@pytest.fixture
def say(request):
    """Print what was measured, and record it where that was asked for."""

    def said(case, **measured):
        counts = {name.replace("_", " "): value for name, value in measured.items()}
        print(f"{case}:", counts)
        if request.config.getoption("--record"):
            runs.add("tests/estimates/test_exactness.py", case, counts)

    return said


@pytest.mark.parametrize(
    ("task", "seq_len", "seed"), [("rnn", 2, 2), ("rnn", 3, 3), ("argmedian", 3, 4)]
)
def test_accuracy_is_that_of_another_method(request, say, task, seq_len, seed):
    make = request.getfixturevalue(f"make_{task}")
    method = {2: accuracy_in_plane, 3: accuracy_on_sphere}[seq_len]
    worst = 0.0
    for kind, model in models(make, seq_len, seq_len, seed):
        estimate = exact(model)
        error = abs(float(estimate.value - method(model)))
        assert error <= BOUND[seq_len], kind
        assert estimate.std == 0
        assert 0 <= estimate.value <= 1
        worst = max(worst, error)
    say(f"{model.task_name} of {seq_len} inputs", models=N_MODELS, largest_error=worst)


@pytest.mark.parametrize(("seq_len", "seed"), [(2, 5), (3, 6)])
def test_squared_error_is_that_of_another_method(make_median, say, seq_len, seed):
    worst = 0.0
    for kind, model in models(make_median, seq_len, 1, seed):
        error = error_of_squared_error(model)
        assert error <= BOUND_OF_SQUARE, kind
        assert exact(model).std == 0
        worst = max(worst, error)
    say(f"median of {seq_len} inputs", models=N_MODELS, largest_relative_error=float(worst))


def error_of_squared_error(model):
    """Of the exact value of a median model, relative."""
    method = square_in_plane if model.seq_len == 2 else square_on_sphere
    with mpmath.workdps(DIGITS_OF_SQUARES):
        right = method(model)
        return float(abs(exact(model).value - right) / right)


@pytest.mark.parametrize("seq_len", [2, 3])
@pytest.mark.parametrize("gap", [1e-4, 1e-8, 1e-12])
def test_a_ramp_between_two_neurons_does_not_spoil_the_squared_error(make_median, gap, seq_len):
    steep = gap**-0.5
    w_hh = [[0.3, 0, -0.7], [0.3, 0, -0.7 - gap], [0, 0, 0]]
    model = make_median([1.0, 1.0, 1.0], w_hh, [[steep, -steep, 1]], seq_len)
    assert error_of_squared_error(model) <= BOUND_OF_SQUARE


@pytest.mark.parametrize("width", [2.0**-7, 2.0**-13, 2.0**-27])
def test_a_spike_does_not_spoil_the_squared_error(make_median, width):
    """Output 1 in one direction of three inputs, and 0 but in its neighbourhood.

    With H a roof over x1 / x0 from 1 - width to 1 + width, the output is (H - abs(x2)) / width,
    where that is positive.
    """
    w_hh = np.zeros((9, 9))
    w_hh[1:4, 0] = -1 + width, -1, -1 - width
    w_hh[np.ix_([4, 5, 8], [1, 2, 3])] = 1, -2, 1
    w_hi = [1, 1, 1, 1, -1, 1, 1, -1, 0]
    w_oh = np.array([[0, 0, 0, 0, 1, 1, -1, -1, -1]]) / width
    model = make_median(w_hi, w_hh, w_oh, 3)
    x = [[1, 1, 0], [1, 1 + 2 * width, 0], [1, 1, 2 * width]]
    assert model(torch.tensor(x, dtype=torch.float64)).ravel().tolist() == [1, 0, 0]
    assert error_of_squared_error(model) <= BOUND_OF_SQUARE


def test_the_other_method_knows_the_mean_square_of_the_median(make_median):
    nothing = make_median([1.0, -1.0], np.eye(2), np.zeros((1, 2)), 3)
    assert abs(square_on_sphere(nothing) - (1 - mpmath.sqrt(3) / mpmath.pi)) < 1e-45


@pytest.mark.parametrize("line", [(Q(1, 3), Q(-5, 2)), (Q(0), Q(0)), None])
def test_the_other_methods_integrals_are_those_of_quadrature(line):
    v, start, stop = (mpmath.mpf("0.7"), mpmath.mpf("-1.3"), mpmath.mpf("2.1")), Q(-2), Q(1, 2)

    def latitude(longitude):
        if line is None:
            return mpmath.pi / 2
        return mpmath.atan(line[0] * mpmath.cos(longitude) + line[1] * mpmath.sin(longitude))

    def below(longitude):
        across = v[0] * mpmath.cos(longitude) + v[1] * mpmath.sin(longitude)

        def square(angle):
            return (across * mpmath.cos(angle) + v[2] * mpmath.sin(angle)) ** 2 * mpmath.cos(angle)

        return mpmath.quad(square, [0, latitude(longitude)])

    # Up to what both a line and a pole have from the equator, which cancels between them.
    from_equator = square_under_line(v, (Q(0), Q(0)), start, stop, +1)
    found = square_under_line(v, line, start, stop, +1) - from_equator
    with mpmath.workdps(20):
        assert abs(found - mpmath.quad(below, [atan(start), atan(stop)])) < 1e-15


SAMPLED = {
    "2nd argmax of two": (zoo_2nd_argmax, "rnn", 2, 2),
    "2nd argmax of three": (zoo_2nd_argmax, "rnn", 3, 3),
    "argmedian of three": (zoo_argmedian, "argmedian", 3, 3),
    "median of two": (zoo_median, "median", 2, 1),
    "median of three": (zoo_median, "median", 3, 1),
}


def test_samples_agree_with_exact_values(request, say):
    """A trained model, one with noise, and a random one with a neuron twice, of each kind."""
    z = {}
    for seed, (kind, (trained, task, seq_len, n_outputs)) in enumerate(SAMPLED.items()):
        rng = np.random.default_rng(seed + 10)
        make = request.getfixturevalue(f"make_{task}")
        shapes = [4, (4, 4), (n_outputs, 4)]
        of_trained = (
            np.array(matrix, float) for matrix in fractions_of(trained(4, seq_len, seed=1))
        )
        noisy = [matrix + gaussian(rng, matrix.shape) / 5 for matrix in of_trained]
        twice = duplicated(rng, [gaussian(rng, shape) for shape in shapes])
        ensemble = [
            trained(4, seq_len).double(),
            make(*noisy, seq_len),
            make(*twice, seq_len),
        ]
        z[kind] = [
            (sampled.value - exact(model).value) / sampled.std
            for model, sampled in zip(
                ensemble, ensemble_sampling(ensemble, N_SAMPLES, seed), strict=True
            )
        ]
    scores = np.array(list(z.values()))
    root_mean_square = math.sqrt(np.mean(scores**2))
    say(
        "samples",
        models=scores.size,
        samples_of_each=N_SAMPLES,
        **{"z-scores_from": float(scores.min()), "to": float(scores.max())},
    )
    assert np.abs(scores).max() < 5, z
    assert 0.3 < root_mean_square < 2, z  # models of one kind see the same inputs


@pytest.mark.parametrize("seed", range(max(4, N_MODELS // 20)))
def test_longest_cycle_is_that_of_another_forward_pass(seed):
    generator = torch.Generator().manual_seed(seed)
    model = DistTransformer(2 + seed % 3, 3 + seed % 2, n_layers=1 + seed // 2 % 2).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    assert exhaustive_accuracy(model) == accuracy_over_functions(model)
