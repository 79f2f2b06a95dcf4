"""Random sampling, and samplers with smaller variance.

Start with ``iid`` (:func:`~algzoo.estimates.sampling`), the method that every estimator is compared
with. ``second_argmax`` holds classical ways to reduce the variance, ``tree`` shares the beginnings
of inputs, and ``walk`` and ``last_input`` integrate the last input exactly. ``kernel``,
``random_inputs`` and ``compiled`` make results that are the same on every machine; ``throughput``
and ``efficiency`` measure speed and variance.
"""
