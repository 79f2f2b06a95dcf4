"""Estimators for recurrent models of two, three and four inputs, most of them exact.

Start with ``two`` (exact angles in the plane) and ``three`` (exact solid angles). ``median`` gives
the exact mean squared error of median models. ``four`` and ``ties`` integrate over an angle;
``rays`` is a cheaper method for three inputs. ``margin_tail`` gives the exact probability of an
error by more than a margin, ``squared_error_tail`` the same for median models, and ``error_rate``
says which errors are ties. ``planted`` makes models in which added neurons decide in one thin cone
of known probability. The other modules are helpers.
"""
