"""Run the README's demo command as it stands until the page answers, then press Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

from demo_server import running_demo
from readme_command import README, readme_command

if __name__ == "__main__":
    command = readme_command("demo", README.read_text(encoding="utf-8"))
    with running_demo(["bash", "-c", command], Path(README).parent) as address, urlopen(address) as answer:  # noqa: S310 - our own server
        if answer.status != 200:  # noqa: PLR2004 - HTTP OK
            raise SystemExit(f"{address} answered HTTP {answer.status}.")
        print(f"   {address} answers.")
