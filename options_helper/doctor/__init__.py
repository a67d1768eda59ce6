"""`options-helper doctor`: checks of the machine, the keys, the plan and the portfolio file.

Alpaca receives only GET requests and stream connections, which are closed once it has answered.
"""

from __future__ import annotations

from options_helper.doctor.checks import DoctorInput, examine
from options_helper.doctor.findings import Finding, Level, is_well, to_json

__all__ = ["DoctorInput", "Finding", "Level", "examine", "is_well", "to_json"]
