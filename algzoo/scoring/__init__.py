"""How good an explanation is: surprise accounting."""

from .ledger import Audit, Check, Entry, Implied, Ledger, Prior
from .priors import cauchy_models, initialised_models

__all__ = [
    "Audit",
    "Check",
    "Entry",
    "Implied",
    "Ledger",
    "Prior",
    "cauchy_models",
    "initialised_models",
]
