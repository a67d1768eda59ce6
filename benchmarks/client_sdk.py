"""The bare SDK stream with a handler that does nothing: raw messages, or with `--parsed` its objects."""

from __future__ import annotations

import threading
import warnings

from frame_pool import END_SYMBOL
from meter import Meter, parse_arguments, symbols_of

warnings.filterwarnings("ignore", message="websockets.legacy is deprecated")

from alpaca.data.live.option import OptionDataStream  # noqa: E402 - after the filter


def receive(port: int, symbols: list[str], *, parsed: bool, meter: Meter) -> None:
    """Until the end of one burst."""
    ended = threading.Event()

    async def ignore(_quote: object) -> None:
        pass

    async def end(_quote: object) -> None:
        meter.stop()
        ended.set()

    url = f"ws://127.0.0.1:{port}/v1beta1/opra"
    stream = OptionDataStream("k", "s", raw_data=not parsed, url_override=url)
    stream.subscribe_quotes(ignore, *(symbol for symbol in symbols if symbol != END_SYMBOL))
    stream.subscribe_quotes(end, END_SYMBOL)
    threading.Thread(target=stream.run, daemon=True).start()
    ended.wait()


if __name__ == "__main__":
    options = parse_arguments("parsed")
    receive(options.port, symbols_of(options.symbols), parsed=options.parsed, meter=Meter())
