"""Estimators for recurrent models of two, three and four inputs, most of them exact.

Start with ``two`` (exact angles in the plane) and ``three`` (exact solid angles). ``median`` gives
the exact mean squared error of median models. ``four`` and ``ties`` integrate over an angle;
``rays`` is a cheaper method for three inputs. ``margin_tail`` gives the exact probability of an
error by more than a margin, and ``planted`` makes models that err in one thin cone of known
probability. ``quadrature`` and ``left_out`` are helpers.
"""
