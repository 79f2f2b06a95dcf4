"""Exact probability that a 2nd-argmax model of two or three inputs errs by more than a margin.

The margin of an error is the largest wrong logit minus the right logit. Wherever it is positive it
is linear on each of the cones on which the model is linear and neither its answer nor the right
answer changes (:mod:`~algzoo.estimates.few_inputs.decisions`). So the event *margin > t* is a union
of cones of which a half-space is kept, ``a . x > t``, whose probability is computed in
:mod:`~algzoo.estimates.few_inputs.linear_tail`.
"""

from __future__ import annotations

from collections.abc import Collection

from ...zoo import Model, OneLayerRNN
from ..scope import Scope
from .decisions import decisions
from .linear_tail import tail

_SCOPE = Scope("2nd_argmax", inputs=(2, 3))


def margin_tail(
    model: Model, threshold: float, *, neurons: Collection[int] = (), answer: int | None = None
) -> float:
    """Probability that a 2nd-argmax model of two or three Gaussian inputs errs by a margin.

    Inputs are independent standard Gaussian numbers. The margin is the largest of the wrong logits
    minus the logit of the right answer, and the answer is wrong where it is positive. The event is
    *margin > threshold*. At 0 its probability is the error rate, with one exception: logits that
    are equal on a whole cone are no error here, although ``argmax`` may name the wrong one.
    :func:`~algzoo.estimates.few_inputs.error_rate.error_rate` gives both shares.

    Every decision is made in exact arithmetic on the stored weights. The relative error is below
    1e-10 for probabilities down to 1e-300; smaller ones may be 0.

    Parameters
    ----------
    model
        The model.
    threshold
        The margin t, in units of the logits; 0 or more. It may be infinite.
    neurons
        If they are given, only errors while all of these neurons are active after the last input
        are counted.
    answer
        If it is given, only errors in which the model gives this answer are counted.

    Returns
    -------
    float
        The probability: exactly 0 if the margin is nowhere positive.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs, or if ``threshold`` is
        negative or no number, or if there is no such neuron or answer.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> model = zoo_2nd_argmax(2, 2)
    >>> [float(f"{margin_tail(model, t):.6g}") for t in (0, 0.1, 1)]
    [7.73535e-05, 3.02878e-05, 3.55092e-12]
    """
    _SCOPE.check(model, "the tail of the margin")
    if not threshold >= 0:
        raise ValueError(f"threshold, a margin of the logits, must be 0 or more, got {threshold}")
    for neuron in neurons:
        if neuron not in range(model.hidden_size):
            raise ValueError(f"neurons must be from 0 to {model.hidden_size - 1}, got {neuron}")
    if answer is not None and answer not in range(model.seq_len):
        raise ValueError(f"answer must be from 0 to {model.seq_len - 1}, got {answer}")
    assert isinstance(model, OneLayerRNN)
    wrong = (
        decision.lead
        for decision in decisions(model)
        if decision.answer != decision.right
        and answer in (None, decision.answer)
        and all(decision.active[neuron] for neuron in neurons)
    )
    return tail(wrong, threshold)
