"""Coverage is not measured where measuring would only cost time."""

from __future__ import annotations

import sys

import pytest


@pytest.mark.slow
def test_a_slow_test_is_not_measured() -> None:
    """In a worker too, no measurement runs during a slow test."""
    tracer = type(sys.gettrace()).__name__
    assert "CTracer" not in tracer
