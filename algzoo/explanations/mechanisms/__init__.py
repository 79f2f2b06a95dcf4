"""What the chapter on telling mechanisms apart says about its models.

``statements`` are what the explanations of M2,2 and M4,3 say about one linear piece. ``detection``
tries all detectors on all tasks and controls, and ``ten_inputs`` those that are left on M16,10.
``models`` applies a model's ledger to its copies. ``distillation`` compares M4,3 with a member of
the lambda family, and ``iterated`` compares estimates with the means of estimates given one more
fact.
"""
