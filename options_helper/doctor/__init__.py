"""`options-helper doctor`: what the machine, the keys, the plan and the portfolio file allow.

Everything asked of Alpaca is a GET, or a stream that is closed once it is authenticated.
"""

from __future__ import annotations

from options_helper.doctor.checks import DoctorInput, examine
from options_helper.doctor.findings import Finding, Level, is_well, to_json

__all__ = ["DoctorInput", "Finding", "Level", "examine", "is_well", "to_json"]
