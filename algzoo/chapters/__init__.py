"""The chapters: stating numbers, drawing figures, running and checking notebooks."""

from .numbers import Column, record, show, table

__all__ = ["Column", "record", "show", "table"]
