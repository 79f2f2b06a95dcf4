"""Scores of an explanation: surprise accounting, and error against compute.

:class:`Ledger` (subpackage ``surprise``) adds up the bits that an explanation asks us to accept,
and :class:`Verdict` says whether that is less than the accuracy costs without an explanation.
:func:`challenge` (subpackage ``compute``) compares the error of estimators with that of random
sampling at equal cost, on populations such as :class:`NoisyCopies`.
"""

from ..zoo.populations import NoisyCopies, Population, TrainingSeeds, ZooModel, base_named
from .compute.challenge import Entrant, challenge
from .compute.leaderboard import BaseScore, Crossover, Leaderboard, Row, SamplerScore, Scored
from .compute.ratios import Ratio
from .compute.truth import Truth, truth
from .surprise.ledger import Audit, Check, Entry, Implied, Ledger, Prior
from .surprise.priors import cauchy_models, initialised_models
from .surprise.untrained import UntrainedLaw, untrained_law
from .surprise.verdict import Bill, Verdict

__all__ = [
    "Audit",
    "BaseScore",
    "Bill",
    "Check",
    "Crossover",
    "Entrant",
    "Entry",
    "Implied",
    "Leaderboard",
    "Ledger",
    "NoisyCopies",
    "Population",
    "Prior",
    "Ratio",
    "Row",
    "SamplerScore",
    "Scored",
    "TrainingSeeds",
    "Truth",
    "UntrainedLaw",
    "Verdict",
    "ZooModel",
    "base_named",
    "cauchy_models",
    "challenge",
    "initialised_models",
    "truth",
    "untrained_law",
]
