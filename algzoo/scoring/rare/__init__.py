"""Methods for rare events, scored on events of known probability.

``tasks`` has the events and their true probabilities, ``metric`` the losses, ``tuning`` the choice
of temperatures on other models than those that are scored, and ``table`` all estimates of all
methods, which are stored with the package. ``calls`` calls anybody's method; ``rounds``,
``entries`` and ``entering`` are for the leaderboard. A method enters it as a :class:`RareEntrant`.
"""

from .calls import RareEntrant

__all__ = ["RareEntrant"]
