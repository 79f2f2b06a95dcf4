"""Telling mechanisms apart: tasks with exact labels, detectors, and how well they do.

``tasks`` makes the tasks; start there. Its classes are conditions on ``facts``, and ``drawing``
draws inputs that meet a condition. ``swap`` tampers with a model so that its hidden states keep
their law, which ``moments`` confirms for their mean and covariance. ``detectors`` holds the
detectors of the literature, and ``statements`` the detector that an explanation is.
``metrics`` measures how well scores tell the classes apart, ``costs`` says how many operations a
score takes, and ``export`` gives a task the form of another package. ``wedges`` makes tasks on
models of more than three inputs.
"""

from .detectors import Detector, detectors
from .export import ExportedTask, exported
from .metrics import Performance, performance, worst
from .statements import Piece, Statement, failure_rates, ledger_detector
from .swap import Swapped, plant_swap
from .tasks import (
    Task,
    against_decoy,
    dead_state,
    forgotten_input,
    hard_inputs,
    neurons_fire,
    planted,
    planted_cone,
    task_of_conditions,
)
from .wedges import nearly_tied, planted_wedge

__all__ = [
    "Detector",
    "ExportedTask",
    "Performance",
    "Piece",
    "Statement",
    "Swapped",
    "Task",
    "against_decoy",
    "dead_state",
    "detectors",
    "exported",
    "failure_rates",
    "forgotten_input",
    "hard_inputs",
    "ledger_detector",
    "nearly_tied",
    "neurons_fire",
    "performance",
    "plant_swap",
    "planted",
    "planted_cone",
    "planted_wedge",
    "task_of_conditions",
    "worst",
]
