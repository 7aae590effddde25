"""Rows of booking. Each noun has a file of its own; this one is what Django reads."""

from hub.booking.models_week import Series, SeriesDate, SeriesLine

__all__ = ["Series", "SeriesDate", "SeriesLine"]
