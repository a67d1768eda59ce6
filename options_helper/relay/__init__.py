"""One connection to Alpaca for many readers, over NATS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from options_helper.errors import MissingDependency

if TYPE_CHECKING:
    from options_helper.relay.events import Event, Execution, Notice, Quote, Trade, read_relay

RELAY_VARIABLE = "OH_RELAY"  # the address of NATS

__all__ = ["RELAY_VARIABLE", "Event", "Execution", "Notice", "Quote", "Trade", "read_relay"]


def __getattr__(name: str) -> object:
    """Import the names for programs when they are first used; most users of this package have no nats-py."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from options_helper.relay import events  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        if error.name != "nats":
            raise
        raise MissingDependency("nats-py", "relay") from None
    return getattr(events, name)
