"""Explanation of M4,3: its symmetries, its decision arcs, estimates after ARC, and ledgers.

``symmetry`` takes the weights apart; start there. ``lambda_family`` relates the model to the
handcrafted ones, ``arc_regions`` and ``arc_noise`` (with ``orthants``) are ARC's two estimates,
``tie_arcs`` and ``error_regions`` find where the answer changes and where it is wrong, and
``ledgers`` prices the explanation, and ``family_law`` what it leaves open.
"""
