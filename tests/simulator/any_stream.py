"""The handshake of each of the three streams, through the same functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from options_helper.simulator.server import AlpacaSimulator


CALL = "AAPL391216C00270000"
PATHS = {"stocks": "/v2/iex", "options": "/v1beta1/opra", "fills": "/stream"}
DATA = ["stocks", "options"]
ALL = [*DATA, "fills"]
SHORT_SECONDS = 0.1


async def log_in(line: Any, stream: str) -> Any:
    """Authenticate on any stream, and return the answer."""
    if stream == "fills":
        return await line.authenticate()
    await line.hear()
    return await line.log_in()


async def subscribe(line: Any, stream: str) -> Any:
    """Subscribe on any stream, and return the answer."""
    if stream == "fills":
        return await line.listen()
    return await line.subscribe(quotes=[CALL if stream == "options" else "AAPL"])


async def is_silent(line: Any) -> bool:
    """Return whether nothing arrives for a while."""
    try:
        await line.socket.receive(timeout=SHORT_SECONDS)
    except TimeoutError:
        return True
    return False


def codec(stream: str) -> str:
    """Return the codec of a stream."""
    return "json" if stream == "fills" else "msgpack"


def make_event(simulator: AlpacaSimulator, stream: str) -> None:
    """Cause an event that the stream sends to its clients."""
    if stream == "fills":
        simulator.place_order(CALL)
    else:
        simulator.push_quote(CALL if stream == "options" else "AAPL", 1.0, 1.1)
