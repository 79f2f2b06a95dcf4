"""Print, as JSON, numbers that must not depend on the kernels that compute them.

    .venv/bin/python tests/kernels/values.py

``machine`` is what they were computed with; ``values`` has a number for each name, ``null`` where
an estimator refuses the model. Whole numbers are counts: they are the same everywhere.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from types import ModuleType

from algzoo.chapters.machine import machine
from algzoo.estimates import boundary_oracle, catalog, ensemble_sampling, exact
from algzoo.explanations import longest_cycle_h4_n4 as longest_cycle_4_4
from algzoo.explanations import second_argmax_h2_n2 as second_argmax_2_2
from algzoo.explanations.argmedian_h16_n5 import ledger as argmedian_16_5
from algzoo.explanations.median_h2_n2 import ledger as median_2_2
from algzoo.explanations.second_argmax_h4_n3 import ledgers as second_argmax_4_3
from algzoo.explanations.second_argmax_h16_n10 import ledgers as second_argmax_16_10
from algzoo.scoring import Ledger
from algzoo.scoring.surprise.bounds import noise_tolerance, weight_information
from algzoo.scoring.surprise.optimisation import weight_bits
from algzoo.structure import cones, find_features
from algzoo.zoo import SEEDS, Model, zoo_2nd_argmax, zoo_argmedian, zoo_longest_cycle, zoo_median
from algzoo.zoo.handcrafted.lengths import leave_one_out_2nd_argmax
from algzoo.zoo.populations import NoisyCopies

Values = Iterator[tuple[str, float | int | None]]

M22 = zoo_2nd_argmax(2, 2)
M43 = {seed: zoo_2nd_argmax(4, 3, seed=seed) for seed in SEEDS}
M1610 = zoo_2nd_argmax(16, 10)
MEDIAN = zoo_median(2, 2)
ARGMEDIAN = zoo_argmedian(16, 5)
CYCLES = {seed: zoo_longest_cycle(4, 4, seed=seed) for seed in SEEDS}
MODELS: dict[str, Model] = {
    "M2,2": M22,
    "M2,4": zoo_2nd_argmax(2, 4),
    "M16,10": M1610,
    "median (2, 2)": MEDIAN,
    "median (4, 3)": zoo_median(4, 3),
    "argmedian (4, 3)": zoo_argmedian(4, 3),
    "argmedian (16, 5)": ARGMEDIAN,
    **{f"M4,3 of seed {seed}": model for seed, model in M43.items()},
    **{f"longest cycle of seed {seed}": model for seed, model in CYCLES.items()},
}
N_TUNING = 20
SD = 0.01  # of noise that weights are told apart from


def estimates() -> Values:
    """Every estimator of the catalogue on every model.

    Constants are fitted to M16,10 and noisy copies of it. The oracle, which takes long, has an
    eighth of the points that it has in the catalogue.
    """
    copies = NoisyCopies(M1610, 0.002, N_TUNING, stream="tuning")
    tuning = [M1610, *(copies.model(i) for i in range(N_TUNING))]
    truths = [estimate.value for estimate in ensemble_sampling(tuning, 2**12, 0)]
    for entry in catalog():
        if entry.name == "boundary oracle":
            continue
        if entry.fit is not None:
            fitted = entry.fit(tuning, truths)(M1610)
            yield f"{entry.name}, fitted: value", fitted.value
            yield f"{entry.name}, fitted: operations", fitted.operations
        if entry.estimator is None:
            continue
        for name, model in MODELS.items():
            try:
                estimate = entry.estimator(model)
            except ValueError:
                yield f"{entry.name} of {name}", None
            else:
                yield f"{entry.name} of {name}: value", estimate.value
                yield f"{entry.name} of {name}: operations", estimate.operations
    oracle = boundary_oracle(M1610, rows=256, seed=0)
    yield "boundary oracle of M16,10: value", oracle.value
    yield "boundary oracle of M16,10: operations", oracle.operations


def pieces_and_arcs() -> Values:
    """The linear pieces of M4,3 and its decision arcs, longest first."""
    for seed, model in M43.items():
        lengths = [length for _, length in second_argmax_4_3.decision_arcs(model)]
        yield f"M4,3 of seed {seed}: pieces", len(cones(model))
        yield f"M4,3 of seed {seed}: decision arcs", len(lengths)
        for place, length in enumerate(lengths):
            yield f"M4,3 of seed {seed}: length of decision arc {place}", length


def ledgers() -> Values:
    """Every ledger that scoring has: how many entries, how many of them hold, values and bits."""
    yield from _each(second_argmax_2_2, "arc conditional lean", {"M2,2": M22})
    of_three = {f"M4,3 of seed {seed}": model for seed, model in M43.items()}
    yield from _each(second_argmax_4_3, "arc conditional symmetry brute_force", of_three)
    yield from _each(second_argmax_16_10, "skeleton", {"M16,10": M1610})
    by_hand = leave_one_out_2nd_argmax(10)
    features = second_argmax_16_10.feature_ledger(by_hand, find_features(by_hand))
    yield from _of_ledger("feature ledger of the network made by hand", features)
    yield from _each(median_2_2, "mean", {"median (2, 2)": MEDIAN})
    yield from _each(argmedian_16_5, "comparison", {"argmedian (16, 5)": ARGMEDIAN})
    cycles = {f"longest cycle of seed {seed}": model for seed, model in CYCLES.items()}
    yield from _each(longest_cycle_4_4, "brute_force base_rate layer", cycles)


def _each(module: ModuleType, names: str, models: Mapping[str, Model]) -> Values:
    for name in names.split():
        for title, model in models.items():
            try:
                ledger = getattr(module, f"{name}_ledger")(model)
            except ValueError:
                yield f"{name} ledger of {title}", None
            else:
                yield from _of_ledger(f"{name} ledger of {title}", ledger)


def _of_ledger(title: str, ledger: Ledger) -> Values:
    yield f"{title}: entries", len(ledger.entries)
    yield f"{title}: entries that hold", sum(entry.holds for entry in ledger.entries)
    yield f"{title}: bits", ledger.total_bits
    for entry in ledger.entries:
        yield f"{title}: {entry.check.id}", entry.value


def bounds() -> Values:
    """Bits that selection and the weights bound, and the noise that the weights bear."""
    yield "selection bits of M2,2", second_argmax_2_2.selection_bits(M22)
    yield "selection bits of median (2, 2)", median_2_2.selection_bits(MEDIAN)
    yield "weight bits of M2,2", weight_bits(M22, exact, 1e-4)
    yield "predicted accuracy of argmedian (16, 5)", argmedian_16_5.predicted_accuracy(ARGMEDIAN)
    yield "noise bound of M4,3", noise_tolerance(M43[0], n_noises=2, n_inputs=2**10).bound
    for seed in SEEDS:
        information = weight_information(M43[seed], SD)
        yield f"information of M4,3 of seed {seed}", information
        information = weight_information(CYCLES[seed], SD)
        yield f"information of longest cycle of seed {seed}", information
    tolerance = longest_cycle_4_4.noise_tolerance(CYCLES[0], n_models=2)
    yield "noise tolerance of longest cycle", tolerance


PARTS = (estimates, pieces_and_arcs, ledgers, bounds)

if __name__ == "__main__":
    found = {name: value for part in PARTS for name, value in part()}
    json.dump({"machine": asdict(machine()), "values": found}, sys.stdout)
