"""`python -m options_helper.simulator`: runs the simulator in its own process until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import threading

from options_helper.simulator.server import AlpacaSimulator
from options_helper.simulator.world import Plan


def main() -> None:
    """Serve, and print the environment variables that point a client here."""
    parser = argparse.ArgumentParser(prog="python -m options_helper.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for any free port")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--count-channels", action="store_true", help="grant 30 channels instead of 30 stocks"
    )
    arguments = parser.parse_args()
    plan = Plan(count_stock_channels=arguments.count_channels)
    with (
        contextlib.suppress(KeyboardInterrupt),
        AlpacaSimulator(seed=arguments.seed, port=arguments.port, plan=plan) as simulator,
    ):
        for name, value in simulator.environment().items():
            print(f"{name}={value}", flush=True)  # noqa: T201 - its whole output
        threading.Event().wait()


if __name__ == "__main__":
    main()
