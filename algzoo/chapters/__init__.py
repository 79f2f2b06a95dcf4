"""The chapters: stating numbers, drawing figures, running and checking notebooks."""

from .numbers import Column, record, show, table
from .parameters import refuse_unknown_parameters

__all__ = ["Column", "record", "show", "table"]

# At import, before anything is computed: no chapter can leave it out.
refuse_unknown_parameters()
