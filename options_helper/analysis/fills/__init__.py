"""The executions, orders and option events of one New York day."""

from options_helper.analysis.fills.day import FillDay, build_fill_day

__all__ = ["FillDay", "build_fill_day"]
