"""Explanation of the smallest median model: it computes the mean of its two inputs.

``mean_of_two`` derives which weights compute the mean, and the error near them; start there.
``ledger`` prices the explanation, and ``thresholds`` shows where the output bends.
"""
