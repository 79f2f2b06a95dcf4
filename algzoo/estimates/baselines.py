"""Samplers with which the challenge compares estimators: plain random sampling, and better ones."""

from __future__ import annotations

from ..zoo import Model
from .estimate import Declared
from .many_inputs.folded_classes import sampled_folded_classes
from .many_inputs.pair_leaves import sampled_pair_leaves
from .samplers.iid import sampling
from .samplers.last_input import last_input
from .samplers.second_argmax import Sampler, antithetic, sobol, stratified, stratified_sobol
from .samplers.tree import tree
from .samplers.walk import last_input_walk

SAMPLERS: dict[str, Declared[[int, int]]] = {
    one.declaration.name.partition(",")[0]: one
    for one in (
        sampling,
        antithetic,
        sobol,
        stratified,
        stratified_sobol,
        tree,
        last_input,
        last_input_walk,
        sampled_folded_classes,
        sampled_pair_leaves,
    )
}
"""The samplers that an estimator is compared with, by name."""


def samplers_for(model: Model) -> dict[str, Sampler]:
    """Return the samplers in :data:`SAMPLERS` that take a model."""
    return {name: one for name, one in SAMPLERS.items() if one.declaration.scope.takes(model)}
