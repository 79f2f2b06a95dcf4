"""Methods for rare events, scored on events of known probability.

``tasks`` has the events and their true probabilities, ``metric`` the losses, ``tuning`` the choice
of temperatures on other models than those that are scored, and ``table`` all estimates of all
methods, which are stored with the package.
"""
