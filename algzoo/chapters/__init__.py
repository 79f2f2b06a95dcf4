"""Tools of the chapters: recorded numbers, figures, running and checking notebooks.

A chapter states its results with ``record``, ``table`` and ``show`` (module ``numbers``);
``figures`` draws them, ``notebooks`` and ``running`` execute chapters, ``statements`` compares two
runs, and ``commands`` is the command line.
"""

from .numbers import Column, above, below, record, show, table, without_rounding
from .parameters import refuse_unknown_parameters

__all__ = ["Column", "above", "below", "record", "show", "table", "without_rounding"]

# This runs at import, before anything is computed, so that no chapter can leave it out.
refuse_unknown_parameters()
