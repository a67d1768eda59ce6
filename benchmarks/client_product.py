"""The product: LiveStreamManager with its own streamers, until the last quote of every symbol is shown.

It polls `snapshot()`, the page's own view, every 4 ms. A second line reports the counts.
"""

from __future__ import annotations

import json
import time

from frame_pool import FINAL_BID
from manager import start_product
from meter import Meter, parse_arguments, symbols_of


def receive(port: int, symbols: list[str], meter: Meter) -> None:
    """Until the end of one burst."""
    manager = start_product(port, contracts=symbols)
    while True:
        time.sleep(0.004)
        if (manager.snapshot().option_quotes.rows["bid_price"] == FINAL_BID).all():
            break
    meter.stop()
    time.sleep(0.1)  # the counts follow the quotes
    snapshot = manager.snapshot()
    messages = snapshot.health["options"].messages
    print(json.dumps({"messages": messages, "dropped": snapshot.dropped_events}), flush=True)
    manager.stop()


if __name__ == "__main__":
    options = parse_arguments()
    receive(options.port, symbols_of(options.symbols), Meter())
