"""What is left of the detectors on a model of ten inputs, whose pieces are too many to list.

The planted wedge, its idle twin and the nearly tied inputs stand for the tasks on M4,3 and their
controls. No exact explanation is at hand. In the place of a piece's probability there is the
frequency of a pattern among trusted inputs: that of the last few steps, because nearly every input
has a pattern of all steps that no other one has. In the place of the statement that the logits are
those of certain neurons there is the comparison with a copy of the model from before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...mechanisms import Detector
from ...mechanisms.detectors import Score, detector, detectors, patterns_of_last, rare_pattern
from ...mechanisms.facts import Floats, states_of_inputs
from ...mechanisms.wedges import nearly_tied, planted_wedge
from ...structure import weights_in_range
from ...zoo import DistRNN, OneLayerRNN
from .detection import Case

TIED = "nearly tied"
_SHARE = 0.1  # of nearly tied inputs
_ROUNDING = 1e-9  # share of the logits


def wedge_cases(model: DistRNN, masses: tuple[float, ...]) -> list[Case]:
    """Make a planted wedge of each mass, its idle twin, and the control.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.mechanisms.wedges.planted_wedge`.
    """
    tasks, twins = [], []
    for mass in masses:
        task = planted_wedge(model, mass)[0]
        idle = planted_wedge(model, mass, answer=None)[0].model
        twin = Case(f"wedge {mass:g}, idle", replace(task, model=idle), model, ())
        twins.append(twin)
        tasks.append(Case(f"wedge {mass:g}", task, model, (), (TIED, twin.name)))
    return [*tasks, *twins, Case(TIED, nearly_tied(model, _SHARE), model, ())]


def judges_of_ten(case: Case) -> list[Detector]:
    """Return the detectors of the literature, rare patterns of the last steps, and the copy."""
    last = [
        replace(
            detector("rare pattern", "patterns", rare_pattern, patterns_of_last(steps)),
            name=f"rare pattern of {steps} step{'s' if steps > 1 else ''}",
        )
        for steps in (1, 2)
    ]
    return [*detectors(), *last, trusted_copy(case.explained)]


def trusted_copy(model: OneLayerRNN) -> Detector:
    """Detector that runs a copy of the model from before, and compares the logits.

    The score is the largest difference, 0 up to rounding.
    """
    w_oh = weights_in_range(model).w_oh

    def fit(other: OneLayerRNN, trusted: Floats) -> Score:
        del trusted

        def score(x: Floats) -> Floats:
            expected = states_of_inputs(model, x)[-1] @ w_oh.T
            found = states_of_inputs(other, x)[-1] @ weights_in_range(other).w_oh.T
            difference = np.abs(found - expected).max(axis=1)
            size = np.abs(expected).max(axis=1) + np.abs(found).max(axis=1)
            return np.asarray(np.where(difference > _ROUNDING * size, difference, 0.0))

        return score

    return Detector("trusted copy", "last state", fit)
