"""Measure the receive pipeline: `python benchmarks/run.py [--quick] [--only NAME] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import page
import refresh
import relayed
import risk
import screen
import streams
from harness import to_json, to_markdown

MEASUREMENTS = {
    "throughput": streams.measure_throughput,
    "recording": streams.measure_recording,
    "newest": streams.measure_newest,
    "latency": streams.measure_latency,
    "main-thread": streams.measure_main_thread,
    "main-thread-risk": streams.measure_risk_beside,
    "fills": streams.measure_fills,
    "relay": relayed.measure_relay,
    "idle": streams.measure_idle,
    "snapshot": refresh.measure_snapshot,
    "tables": refresh.measure_tables,
    "risk": risk.measure_risk,
    "fills-of-a-day": refresh.measure_fills_of_a_day,
    "page": page.measure_idle_page,
    "tabs": page.measure_further_tabs,
    "changed-page": page.measure_changed_page,
    "screen": screen.measure_screen,
    "first-paint": page.measure_first_paint,
}


def main() -> None:
    """Run the chosen measurements, print tables, and write JSON if requested."""
    parser = argparse.ArgumentParser(description="Measure the receive pipeline.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller bursts")
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="may be given several times")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    machine = (
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"websockets {version('websockets')}, msgspec {version('msgspec')}, pandas {version('pandas')}"
    )
    print(machine, flush=True)
    results = {}
    for name in options.only or MEASUREMENTS:
        began = time.monotonic()
        figures = list(MEASUREMENTS[name](quick=options.quick))
        results[name] = to_json(figures)
        load = os.getloadavg()[0]
        print(
            f"\n## {name} ({time.monotonic() - began:.0f} s, load {load:.1f})\n\n{to_markdown(figures)}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
