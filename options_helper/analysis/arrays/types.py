"""The types of NumPy columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Times = NDArray[np.int64]  # microseconds since 1970 UTC; 0 is missing
Codes = NDArray[np.int8]  # indices into a fixed list of words
Objects = NDArray[np.object_]
