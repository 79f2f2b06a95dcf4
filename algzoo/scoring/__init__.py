"""How good an explanation is: surprise accounting, and error against compute."""

from ..zoo.populations import NoisyCopies, Population, TrainingSeeds, ZooModel, base_named
from .compute.challenge import Entrant, challenge
from .compute.leaderboard import BaseScore, Crossover, Leaderboard, Row, SamplerScore, Scored
from .compute.ratios import Ratio
from .compute.truth import Truth, truth
from .surprise.ledger import Audit, Check, Entry, Implied, Ledger, Prior
from .surprise.priors import cauchy_models, initialised_models

__all__ = [
    "Audit",
    "BaseScore",
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
    "ZooModel",
    "base_named",
    "cauchy_models",
    "challenge",
    "initialised_models",
    "truth",
]
