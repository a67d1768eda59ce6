"""The day's fills."""

from options_helper.analysis.fills.build import build_fill_day
from options_helper.analysis.fills.day import FillDay

__all__ = ["FillDay", "build_fill_day"]
