"""The chapters: stating numbers, drawing figures, running and checking notebooks."""

from .numbers import Column, above, below, record, show, table, without_rounding
from .parameters import refuse_unknown_parameters

__all__ = ["Column", "above", "below", "record", "show", "table", "without_rounding"]

# At import, before anything is computed: no chapter can leave it out.
refuse_unknown_parameters()
