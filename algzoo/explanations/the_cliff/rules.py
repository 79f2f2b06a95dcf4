"""Rules that are scored, with their budgets and the numbers of models and scrambles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...estimates import Estimate, RunsNetwork, sampling
from ...estimates.baselines import SAMPLERS
from ...estimates.few_inputs.ties import tie_quadrature
from ...estimates.many_inputs.folded_classes import LARGE, folded_classes
from ...estimates.many_inputs.pair_leaves import pair_leaves
from ...estimates.many_inputs.planes import plane_quadrature
from ...estimates.many_inputs.soft_count import soft_count
from ...estimates.samplers.walk import last_input_walk
from ...zoo import Model
from .cells import Cell, clean_model, m1610_cells, map_cells

TIES, PLANES = "angles from ties", "planes"
FOLDED, CLUSTERED, PAIRS = "folded classes", "folded classes, clustered", "leaves of pairs"
SOFT, WALK, STRATIFIED = "soft count", "last input", "stratified Sobol"

_FEW = 4  # neurons up to which a network errs nearly everywhere


@dataclass(frozen=True)
class Rule:
    """An estimate of a model at a budget, with a scramble or seed.

    ``doubling`` is true if its budgets are powers of two.
    """

    runs_network: RunsNetwork
    estimate: Callable[[Model, int, int], Estimate]
    doubling: bool = True


RULES: dict[str, Rule] = {
    TIES: Rule("never", tie_quadrature, doubling=False),
    PLANES: Rule("never", plane_quadrature),
    FOLDED: Rule("chosen inputs", lambda m, k, s: folded_classes(m, k, s, 1.0)),
    CLUSTERED: Rule("chosen inputs", lambda m, k, s: folded_classes(m, k, s, 1.75)),
    PAIRS: Rule("chosen inputs", pair_leaves),
    SOFT: Rule("chosen inputs", soft_count),
    WALK: Rule("random inputs", last_input_walk),
    STRATIFIED: Rule("random inputs", SAMPLERS["stratified Sobol"]),
}


def right_rule(family: str, hidden_size: int) -> str:
    """The rule on chosen inputs for a size, by the number of neurons alone.

    Models of few neurons err often, those of many neurons near ties. The choice was made on the
    table of the cliff itself.
    """
    if hidden_size >= LARGE:
        return CLUSTERED
    return PAIRS if family == "2nd_argmax" and hidden_size <= _FEW else FOLDED


def never_running_rule(seq_len: int) -> str:
    """The rule that never runs the network, for 2nd argmax."""
    return TIES if seq_len == 4 else PLANES


@dataclass(frozen=True)
class Setting:
    """Rule at a budget, with the numbers of models and scrambles on which it is scored."""

    rule: str
    budget: int
    models: int
    scrambles: int

    def estimate(self, model: Model, scramble: int) -> Estimate:
        """Estimate the accuracy of a model by this rule at this budget."""
        return RULES[self.rule].estimate(model, self.budget, scramble)


def truth_setting(cell: Cell) -> Setting:
    """Setting that estimates the true accuracies of a cell, with scrambles of its own."""
    n_models = cell.copies * len(cell.seeds)
    if cell in m1610_cells():
        return Setting(PAIRS, 2**15, n_models, 6)
    points = 2**17 if cell.seq_len == 4 else 2**15
    rule = CLUSTERED if cell.hidden_size >= LARGE else FOLDED
    return Setting(rule, points, n_models, 8)


def settings_of(cell: Cell) -> list[Setting]:
    """Every setting that is scored in a cell."""
    if cell in m1610_cells():
        return _m1610(cell)
    assert cell in map_cells()
    found = []
    chosen = [FOLDED, CLUSTERED, PAIRS] if cell.family == "2nd_argmax" else [FOLDED, CLUSTERED]
    for rule in chosen:
        for samples in (1_000, 10_000):
            found.append(Setting(rule, budget_near(rule, cell, samples), 16, 32))
    if cell.family == "2nd_argmax" and cell.seq_len == 4:
        models = {2: 16, 4: 8, 8: 3}.get(cell.hidden_size, 1)
        scrambles = 8 if cell.hidden_size > 4 else 16
        for samples in (1_000, 3_000):
            budget = budget_near(TIES, cell, samples)
            found.append(Setting(TIES, budget, models if samples < 2_000 else 1, scrambles))
    elif cell.family == "2nd_argmax":
        directions = 32 if cell.hidden_size == 32 or cell.seq_len > 6 else 64
        found.append(Setting(PLANES, directions, 1, 16 if cell.seq_len <= 6 else 12))
    return found


def _m1610(cell: Cell) -> list[Setting]:
    n_models = cell.copies * len(cell.seeds)
    few = min(n_models, 16)
    points = (32, 128, 512, 2048)
    found = [Setting(PAIRS, k, n_models, 32) for k in points]
    found += [Setting(PAIRS, 8192, few, 32), Setting(PAIRS, 2**15, min(n_models, 8), 16)]
    for rule in (FOLDED, CLUSTERED):
        found += [Setting(rule, k, few, 32) for k in (256, 1024, 4096, 2**14)]
        found.append(Setting(rule, 2**16, min(n_models, 8), 32))
    found += [Setting(SOFT, 1, n_models, 12), Setting(SOFT, 4, n_models, 8)]  # designs
    for rule in (WALK, STRATIFIED):
        found += [Setting(rule, k, few, 32) for k in (256, 1024, 4096, 2**14)]
    return found


_TRIAL = {TIES: 4, PLANES: 2}  # budgets at which a cost is measured; 64 for other rules


def budget_near(rule: str, cell: Cell, samples: float) -> int:
    """The budget at which a rule costs about as much as that many random inputs."""
    model = clean_model(cell)
    trial = _TRIAL.get(rule, 64)
    cost = RULES[rule].estimate(model, trial, 0).operations / sampling(model, 1, 0).operations
    wanted = samples * trial / cost
    if not RULES[rule].doubling:
        return max(round(wanted), 1)
    # The nearest power of two, by whole numbers, that of their geometric mean upwards.
    power = 1
    while power * 2**0.5 < wanted:
        power *= 2
    return power
