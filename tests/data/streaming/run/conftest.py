"""A started run for the tests of this folder."""

from __future__ import annotations

import pytest

from tests.data.streaming.run.run_desk import RunDesk


@pytest.fixture
def desk(wait_until):
    """A started run; stopped afterwards."""
    desk = RunDesk()
    desk.run.start()
    wait_until(lambda: all(desk.made.values()))
    yield desk
    desk.run.stop(20)
