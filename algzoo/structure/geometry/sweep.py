"""Linear pieces of a model on a space of three coordinates, found exactly.

A bias-free ReLU network is positively homogeneous, so its pieces are cones. With side s = sign(x0)
and the coordinates (a, b, c) = (abs(x0), x1, x2), a >= 0, on each half of the space of three
inputs,

    after x0:  h1[i] = ReLU(s W_hi[i])                              (times a)
    after x1:  z[j] = A[j] a + W_hi[j] b,       A = W_hh h1
    after x2:  z[k] = alpha[k] a + beta[k] b + W_hi[k] c.

The zeros of the z[j] after x1 are rays in the plane of a and b. Between two consecutive rays, in a
*sector*, alpha = W_hh (active A) and beta = W_hh (active W_hi) are constant: there, the zero of
each z[k] after x2 is a line c(a, b), straight over the chord between the two rays. The lines cut
the sector into convex cells, which are followed from the first ray to the last through the points
where lines cross.

With more inputs, all but the last two are given multiples of a; b and c are the last two, and A =
W_hh h, with h the state (divided by a) after the given inputs.

The functions here use only +, -, * and comparisons on homogeneous coordinates, whose positive
common factor does not matter. Called with integers they make no rounding error at all, so that
coinciding points coincide exactly and dead pieces are exactly zero; no tolerance is needed. Every
point is computed once and shared by the cells around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sorting import ranked
from ..weights import Weights

Number = Any  # int, or anything else with the arithmetic of integers
Vector = tuple[Number, Number, Number]


@dataclass(frozen=True)
class StepWeights:
    """Weights as integers; the common denominators were moved into the input weights.

    With D the common denominator of W_hh, the drive after t inputs is multiplied by D^(t-1) and the
    common denominator of W_hi, and the readout by ``denominator``.
    """

    inputs: list[list[Number]]  # W_hi for each of the steps, each (hidden_size,)
    w_hh: list[list[Number]]  # (hidden_size, hidden_size)
    readout: list[list[Number]]  # (n_values, hidden_size)
    denominator: int


def step_weights(weights: Weights, readout: NDArray[Any], seq_len: int = 3) -> StepWeights:
    """Return the integers proportional to float weights, for ``seq_len`` inputs.

    ``readout``, shape (n_values, hidden_size), holds the linear functions of the last state that
    the sweep follows, as floats or fractions.
    """
    w_hi, of_hi = _integers(weights.w_hi)
    w_hh, of_hh = _integers(weights.w_hh)
    values, of_values = _integers(readout)
    inputs = [(w_hi * of_hh**step).tolist() for step in range(seq_len)]
    denominator = of_hi * of_hh ** (seq_len - 1) * of_values
    return StepWeights(inputs, w_hh.tolist(), values.tolist(), denominator)


def _integers(matrix: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Return the integers ``denominator * matrix``, and the least common denominator."""
    fractions = [Fraction(value) for value in matrix.ravel().tolist()]
    denominator = math.lcm(*(value.denominator for value in fractions))
    scaled = np.array([int(value * denominator) for value in fractions], dtype=object)
    return scaled.reshape(matrix.shape), denominator


class Vertex:
    """Point of the sphere, in coordinates (a, b, c), with what is known about it.

    ``values`` are those of the readout, with the same scale as the coordinates. ``cuts`` are the
    points at which edges from here to another vertex are cut, by that vertex and the function that
    vanishes. ``known`` and ``signs`` hold values and signs of other functions, each computed once.
    """

    __slots__ = ("cuts", "known", "point", "pole", "signs", "values")

    def __init__(self, point: Vector, values: list[Number] | None = None, pole: int = 0) -> None:
        self.point = point
        self.values = values
        self.pole = pole  # +1 for (0, 0, 1), -1 for (0, 0, -1), otherwise 0
        self.cuts: dict[Any, Vertex] = {}
        self.known: dict[Any, Number] = {}
        self.signs: dict[Any, int] = {}


@dataclass(eq=False)
class Ray:
    """Ray (a, b), with the values of the lines there.

    ``drive`` is W_hh h2. ``level[k]`` is the rank of line k, of a neuron with input, among the
    distinct heights of the lines. ``vertices`` are the points of the lines by level, ``cuts`` those
    where other functions vanish, ``foot`` the one at c = 0.
    """

    a: Number
    b: Number
    drive: list[Number] = field(default_factory=list)
    level: dict[int, int] = field(default_factory=dict)
    vertices: list[Vertex] = field(default_factory=list)
    cuts: dict[Any, Vertex] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.foot = Vertex((self.a, self.b, 0))


class Edge(Enum):
    """Kind of an edge of a polygon that is not part of a ray's meridian."""

    SWITCH = auto()  # a neuron switches; the outputs are continuous there
    CUT = auto()  # the polygon was cut here


Polygon = list[tuple[Vertex, "Edge | Ray"]]  # vertices, each with the edge to the following one


@dataclass(frozen=True, eq=False)
class Half:
    """Half a >= 0 of the space of (a, b, c), with the effect of the inputs before the last two.

    ``earlier`` are these inputs as multiples of a; for three inputs this is the side. ``active``
    are the neurons' states after each of them, ``offset`` is A.
    """

    earlier: tuple[int, ...]
    active: tuple[list[bool], ...]  # each (hidden_size,)
    offset: list[Number]  # (hidden_size,)

    def input_at(self, position: int, a: Number, b: Number) -> Number:
        """Return an input other than the last, at (a, b)."""
        if position == len(self.earlier):
            return b
        multiple = self.earlier[position]
        return a if multiple == 1 else -a if multiple == -1 else a * multiple


@dataclass(eq=False)
class Cell:
    """Convex piece of the sphere on which all neurons keep their states.

    ``polygon`` runs counterclockwise in the plane of (the angle of (a, b), c). ``planes`` are the
    readout's coefficients of a, b and c, shape (n_values, 3). ``order`` holds the positions of all
    inputs but the last, from the smallest to the largest.
    """

    half: Half
    order: tuple[int, ...]
    active: tuple[list[bool], ...]  # after each input; each (hidden_size,)
    polygon: Polygon
    planes: list[Vector]

    def values(self, vertex: Vertex) -> list[Number]:
        """Readout at a vertex of the cell, computed once."""
        if vertex.values is None:
            a, b, c = vertex.point
            vertex.values = [p * a + q * b + r * c for p, q, r in self.planes]
        return vertex.values


def cells(weights: StepWeights) -> Iterator[Cell]:
    """Yield the cells of both halves of the space of three inputs; together they cover it."""
    signs = signs_of(weights.inputs[0])
    # The halves meet where x0 = 0, and all sectors meet at the poles.
    ends, poles = new_ends(), new_poles()
    for side in (+1, -1):
        yield from cells_of_half(weights, signs, half_given(weights, signs, (side,)), ends, poles)


def half_given(weights: StepWeights, signs: list[int], earlier: tuple[int, ...]) -> Half:
    """Return the half on which the inputs before the last two are given multiples of a.

    ``signs`` are the signs of the input weights.
    """
    first = earlier[0]
    patterns = [[sign * first > 0 for sign in signs]]
    state = [abs(w) if abs(first) == 1 else abs(w) * abs(first) for w in weights.inputs[0]]
    offset = [_dot(row, state, patterns[-1]) for row in weights.w_hh]
    for x, w_hi in zip(earlier[1:], weights.inputs[1:], strict=False):
        state = [a + w * x for a, w in zip(offset, w_hi, strict=True)]
        patterns.append([bool(drive > 0) for drive in state])
        offset = [_dot(row, state, patterns[-1]) for row in weights.w_hh]
    return Half(earlier, tuple(patterns), offset)


def signs_of(numbers: Sequence[Number]) -> list[int]:
    """Return signs: +1, -1 or 0."""
    return [1 if number > 0 else -1 if number < 0 else 0 for number in numbers]


def new_ends() -> tuple[Ray, Ray]:
    """Return the rays at which a half ends."""
    return Ray(0, -1), Ray(0, 1)


def new_poles() -> tuple[Vertex, Vertex]:
    """Return the lowest and the highest point."""
    return Vertex((0, 0, -1), pole=-1), Vertex((0, 0, 1), pole=+1)


def cells_of_half(
    weights: StepWeights,
    signs: list[int],
    half: Half,
    ends: tuple[Ray, Ray],
    poles: tuple[Vertex, Vertex],
    left_out: Callable[[Ray, Ray], bool] = lambda start, stop: False,
) -> Iterator[Cell]:
    """Yield the cells of one half; ``signs`` are those of the input weights.

    A sector is skipped if ``left_out``, called with the rays at its ends, returns true.
    """
    w_2, offset = weights.inputs[-2], half.offset

    # Towards (0, -1) the drive has the sign of -W_hi; without input it has that of A everywhere.
    active: list[bool] = []
    turns: list[tuple[Number, Number, int | None]] = [(1, x, None) for x in half.earlier]
    for neuron, (sign, w, a) in enumerate(zip(signs, w_2, offset, strict=True)):
        active.append(sign < 0 if sign else bool(a > 0))
        if sign:
            turns.append((abs(w), -a if sign > 0 else a, neuron))
    alpha = [_dot(row, offset, active) for row in weights.w_hh]
    beta = [_dot(row, w_2, active) for row in weights.w_hh]

    smallest_first = sorted(range(len(half.earlier)), key=half.earlier.__getitem__)
    n_smaller = 0  # earlier inputs smaller than b
    groups = ranked(turns, lambda r, q: r[1] * q[0] - r[0] * q[1])
    rays = [ends[0], *(Ray(*group[0][:2]) for group in groups), ends[1]]
    for (start, stop), group in zip(pairwise(rays), [*groups, []], strict=True):
        order = smallest_first.copy()
        order.insert(n_smaller, len(half.earlier))
        sector = _Sector(weights, signs, half, tuple(order), active, alpha, beta)
        if not left_out(start, stop):
            yield from sector.cells(start, stop, poles)
        for _, _, turned in group:
            if turned is None:
                n_smaller += 1
                continue
            column = [row[turned] for row in weights.w_hh]
            active = active.copy()
            active[turned] = not active[turned]
            alpha = _toggled(alpha, column, offset[turned], on=active[turned])
            beta = _toggled(beta, column, w_2[turned], on=active[turned])


@dataclass(eq=False)
class _Sector:
    """Part of a half between two rays, in which alpha and beta are constant."""

    weights: StepWeights
    signs: list[int]  # signs of the input weights
    half: Half
    order: tuple[int, ...]  # like that of a cell
    active: list[bool]  # after the last input but one
    alpha: list[Number]
    beta: list[Number]

    def cells(self, start: Ray, stop: Ray, poles: tuple[Vertex, Vertex]) -> Iterator[Cell]:
        """The cells between two rays."""
        rays = [start, *self._turns_of_neurons_without_input(start, stop), stop]
        order = list(start.level) or [k for k, sign in enumerate(self.signs) if sign]
        for ray in rays:
            if not ray.drive:
                self._read(ray, order)
            order = list(ray.level)
        for left, right in pairwise(rays):
            yield from self._sweep(left, right, poles)

    def _turns_of_neurons_without_input(self, start: Ray, stop: Ray) -> list[Ray]:
        """List rays strictly between the two where a neuron that c does not drive switches."""
        turns = []
        for sign, a, b in zip(self.signs, self.alpha, self.beta, strict=True):
            if sign == 0:
                turn = (b, -a) if b > 0 else (-b, a)
                ends = (start.a, start.b), (stop.a, stop.b)
                if _is_left(ends[0], turn) and _is_left(turn, ends[1]):
                    turns.append(turn)
        groups = ranked(turns, lambda r, q: r[1] * q[0] - r[0] * q[1])
        return [Ray(*group[0]) for group in groups]

    def _read(self, ray: Ray, order: list[int]) -> None:
        """Compute drive, levels and vertices of a ray.

        ``order`` holds the neurons with input, in the order of their lines on the ray before: if
        they are still in order, sorting looks at each difference in one comparison instead of two.
        """
        w_3 = self.weights.inputs[-1]
        ray.drive = [p * ray.a + q * ray.b for p, q in zip(self.alpha, self.beta, strict=True)]
        width = {k: abs(w_3[k]) for k in order}
        rise = {k: -ray.drive[k] if self.signs[k] > 0 else ray.drive[k] for k in order}
        groups = ranked(order, lambda k, m: rise[k] * width[m] - rise[m] * width[k])
        ray.level = {k: level for level, group in enumerate(groups) for k in group}
        for group in groups:
            k = group[0]
            ray.vertices.append(Vertex((width[k] * ray.a, width[k] * ray.b, rise[k])))

    def _sweep(self, left: Ray, right: Ray, poles: tuple[Vertex, Vertex]) -> Iterator[Cell]:
        """Yield the cells between two rays, in the order in which they end."""
        lines = self._lines(left, right)
        slots = self._slots_at(left, right, lines, poles)
        for date, group in enumerate(self._crossings(left, right, lines)):
            while group:
                for crossing in group:
                    below, above, vertex = crossing
                    i = lines.index(below)
                    if i + 1 < len(lines) and lines[i + 1] is above:
                        break
                group.remove(crossing)
                under, ending, over = slots[i : i + 3]
                lines[i], lines[i + 1] = above, below
                for chain in (under.upper, ending.lower, ending.upper, over.lower):
                    chain.append(vertex)
                if ending.since != date:  # otherwise between lines through the same point
                    yield self._cell(ending, left, right)
                slots[i + 1] = self._above(under, above, [vertex], [vertex], date)
        for i, slot in enumerate(slots):
            if i > 0:
                slot.lower.append(right.vertices[right.level[lines[i - 1][0]]])
            if i < len(lines):
                slot.upper.append(right.vertices[right.level[lines[i][0]]])
            yield self._cell(slot, left, right)

    def _lines(self, left: Ray, right: Ray) -> list[_Line]:
        """List lines from the lowest just after the left ray; lines that coincide are one."""
        together: dict[tuple[int, int], list[int]] = {}
        for k in left.level:
            together.setdefault((left.level[k], right.level[k]), []).append(k)
        return [tuple(together[levels]) for levels in sorted(together)]

    def _slots_at(
        self, left: Ray, right: Ray, lines: list[_Line], poles: tuple[Vertex, Vertex]
    ) -> list[_Slot]:
        w_3 = self.weights.inputs[-1]
        active = [
            sign < 0 if sign else bool(left.drive[k] > 0 or right.drive[k] > 0)
            for k, sign in enumerate(self.signs)
        ]
        planes = [
            (_dot(row, self.alpha, active), _dot(row, self.beta, active), _dot(row, w_3, active))
            for row in self.weights.readout
        ]
        starts = [left.vertices[left.level[line[0]]] for line in lines]
        lowest, highest = poles
        slots = [_Slot([lowest], [*starts, highest][:1], active, planes, -1)]
        for line, lower, upper in zip(lines, starts, [*starts, highest][1:], strict=True):
            slots.append(self._above(slots[-1], line, [lower], [upper], -1))
        if lowest.values is None:
            lowest.values = [-c for _, _, c in slots[0].planes]
            highest.values = [c for _, _, c in slots[-1].planes]
        return slots

    def _above(
        self, slot: _Slot, line: _Line, lower: list[Vertex], upper: list[Vertex], since: int
    ) -> _Slot:
        """The slot on the other side of a line above ``slot``."""
        w_3 = self.weights.inputs[-1]
        active, planes = slot.active.copy(), slot.planes
        for k in line:
            active[k] = not active[k]
            normal = (self.alpha[k], self.beta[k], w_3[k])
            planes = [
                tuple(_toggled(plane, normal, row[k], on=active[k]))
                for plane, row in zip(planes, self.weights.readout, strict=True)
            ]
        return _Slot(lower, upper, active, planes, since)

    def _crossings(
        self, left: Ray, right: Ray, lines: list[_Line]
    ) -> list[list[tuple[_Line, _Line, Vertex]]]:
        """Lines that cross, the lower one first, grouped by direction from left to right."""
        w_3 = self.weights.inputs[-1]
        crossings = []
        for below, above in combinations(lines, 2):
            k, m = below[0], above[0]
            if left.level[k] < left.level[m] and right.level[k] > right.level[m]:
                a = self.beta[k] * w_3[m] - w_3[k] * self.beta[m]
                b = w_3[k] * self.alpha[m] - self.alpha[k] * w_3[m]
                c = self.alpha[k] * self.beta[m] - self.beta[k] * self.alpha[m]
                point = (a, b, c) if a > 0 else (-a, -b, -c)
                crossings.append((below, above, Vertex(point)))
        return ranked(
            crossings,
            lambda r, q: r[2].point[1] * q[2].point[0] - r[2].point[0] * q[2].point[1],
        )

    def _cell(self, slot: _Slot, left: Ray, right: Ray) -> Cell:
        lower, upper = slot.lower, slot.upper
        polygon: Polygon = [(vertex, Edge.SWITCH) for vertex in lower[:-1]]
        polygon.append((lower[-1], right))
        if lower[-1].pole and upper[-1].pole:  # a lune, without a line in between
            polygon.append((right.foot, right))
        upper_part: Polygon = [(vertex, Edge.SWITCH) for vertex in upper[:0:-1]]
        if lower[-1] is upper[-1]:  # the cell ends in a point
            polygon.pop()
        polygon += upper_part
        if upper[0].pole and lower[0].pole:
            polygon += [(upper[0], left), (left.foot, left)]
        elif upper[0] is not lower[0]:
            polygon.append((upper[0], left))
        return Cell(
            self.half,
            self.order,
            (*self.half.active, self.active, slot.active),
            polygon,
            slot.planes,
        )


_Line = tuple[int, ...]  # the neurons, more than one if their lines coincide


@dataclass(eq=False)
class _Slot:
    """Cell that is being followed: its lower and its upper boundary so far."""

    lower: list[Vertex]
    upper: list[Vertex]
    active: list[bool]
    planes: list[Vector]
    since: int  # number of the group of crossings in which it began; -1 for the ray


def same_direction(p: Vector, q: Vector) -> bool:
    """Tell whether two points in integers are the same point of the sphere."""
    return bool(
        p[1] * q[2] == p[2] * q[1] and p[2] * q[0] == p[0] * q[2] and p[0] * q[1] == p[1] * q[0]
        and p[0] * q[0] + p[1] * q[1] + p[2] * q[2] > 0
    )  # fmt: skip


def _is_left(r: tuple[Number, Number], q: tuple[Number, Number]) -> bool:
    """Tell whether q lies counterclockwise of r, by less than pi."""
    return bool(r[0] * q[1] - r[1] * q[0] > 0)


def _dot(row: Sequence[Number], vector: Sequence[Number], active: Sequence[bool]) -> Number:
    """Sum of the products at the active places."""
    products = [x * y for x, y, on in zip(row, vector, active, strict=True) if on]
    return sum(products[1:], start=products[0]) if products else 0


def _toggled(
    total: Sequence[Number], column: Sequence[Number], factor: Number, *, on: bool
) -> list[Number]:
    """Add ``column * factor`` to ``total`` if ``on``, otherwise subtract it."""
    if on:
        return [x + y * factor for x, y in zip(total, column, strict=True)]
    return [x - y * factor for x, y in zip(total, column, strict=True)]
