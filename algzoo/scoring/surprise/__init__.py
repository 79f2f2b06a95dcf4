"""Surprise accounting: ledgers of checks, residuals, and bounds on what training chose.

``ledger`` is the record of an explanation's claims and their prices; start there. ``priors`` makes
untrained models to test prices, ``residual`` prices what an explanation leaves open, ``bounds`` and
``optimisation`` bound the bits that training chose, and ``thresholds`` is the search on a grid that
they share.
"""
