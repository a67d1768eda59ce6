"""The limits of open files and core dumps, set in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from options_helper.launch import limits

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX limits")

FILES = """
import json, resource
from options_helper.launch.limits import raise_open_files_limit
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
said = raise_open_files_limit()
print(json.dumps([said, *resource.getrlimit(resource.RLIMIT_NOFILE)]))
"""
CORES = """
import json, resource
from options_helper.launch.limits import forbid_core_dumps
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
forbid_core_dumps()
print(json.dumps(resource.getrlimit(resource.RLIMIT_CORE)))
"""


def run(program: str) -> list[object]:
    """Run a program in its own process; return what it printed."""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    answer: list[object] = json.loads(ended.stdout)
    return answer


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    """The limit is raised without a message if that is enough."""
    assert run(FILES.format(soft=256, hard=4096)) == ["", 4096, 4096]


def test_a_low_hard_limit_is_reported() -> None:
    """The limit is raised as far as allowed, and the sentence states it."""
    said, *now = run(FILES.format(soft=100, hard=300))
    assert now == [300, 300]
    assert str(said).startswith("This system allows only 300 open files")


def test_no_limit_at_all_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit, there is no message."""
    import resource

    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _which: infinite)
    assert limits.raise_open_files_limit() == ""


def test_no_core_is_dumped() -> None:
    """A limit of 1 prevents dumps to files and to programs; a hard limit of 0 is enough."""
    assert run(CORES) in ([1, 1], [0, 0])
