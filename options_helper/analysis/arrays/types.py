"""The types of NumPy columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Times = NDArray[np.int64]  # microseconds since 1970 UTC, 0 for none
Codes = NDArray[np.int8]  # numbers of words in a fixed list
Objects = NDArray[np.object_]
