"""Surprise accounting: ledgers, residuals, bounds on what training chose, and the verdict.

``ledger`` is the record of an explanation's claims and their prices; start there. ``verdict`` adds
up what an explanation costs and judges it, by the same rule in all chapters. It compares the total
with the price without an explanation, which ``untrained`` measures, and with the bits that training
chose, which ``bounds`` and ``optimisation`` bound. ``residual`` prices what an explanation leaves
open, ``priors`` makes untrained models to test prices, and ``thresholds`` is the search on a grid
that the bounds share.
"""
