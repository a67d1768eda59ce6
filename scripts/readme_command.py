"""Print a command of the README, so that the documented command is the one that runs.

python3 scripts/readme_command.py demo
python3 scripts/readme_command.py test
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def readme_command(name: str, text: str) -> str:
    """Return the single line of the fenced block after `<!-- command: NAME -->`.

    Raises:
        SystemExit: There is no such block, or it has more than one line.
    """
    pattern = rf"<!-- command: {re.escape(name)} -->\n```sh\n(?P<command>[^\n]+)\n```"
    found = re.findall(pattern, text)
    if len(found) != 1:
        raise SystemExit(f"README.md has {len(found)} one-line commands named {name!r}; there must be one.")
    command: str = found[0]
    return command


if __name__ == "__main__":
    print(readme_command(sys.argv[1], README.read_text(encoding="utf-8")))
