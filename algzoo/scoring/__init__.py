"""How good an explanation is: surprise accounting, and error against compute."""

from .challenge import Entrant, challenge
from .leaderboard import BaseScore, Crossover, Leaderboard, Row, SamplerScore, Scored
from .ledger import Audit, Check, Entry, Implied, Ledger, Prior
from .populations import NoisyCopies, Population, TrainingSeeds, ZooModel, base_named
from .priors import cauchy_models, initialised_models
from .ratios import Ratio
from .truth import Truth, truth

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
