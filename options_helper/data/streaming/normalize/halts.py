"""Trading statuses of stocks, read for one thing: is trading halted?

Alpaca's "Real-time Stock Data" page, "Trading Status": the code `sc` is that of the tape's own plan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from options_helper.data.streaming.normalize.values import to_utc
from options_helper.market import Trade

# CTA (tapes A and B): 2 halt, 3 resume. UTP (tapes C and O): H halt, P volatility pause, T trading resumes.
# Quotation resuming (Q) is not trading yet; every other code says nothing about a halt.
_HALTED_BY_CODE = {"2": True, "3": False, "H": True, "P": True, "T": False}

# Trades off the exchanges may be reported 10 s after they were made, and be dated by their report.
_LATE_REPORTS = dt.timedelta(seconds=15)


def read_halts(statuses: Iterable[object], received_at: dt.datetime) -> dict[str, dt.datetime | None]:
    """Return when each named symbol was halted, None if its trading resumed, by the newest status.

    Args:
        statuses: Raw messages with `S` (symbol), `sc` (code) and `t` (time); others are skipped.
        received_at: When they came, for those without a time.
    """
    halts: dict[str, dt.datetime | None] = {}
    for status in statuses:
        if not isinstance(status, dict):
            continue
        symbol, halted = status.get("S"), _HALTED_BY_CODE.get(str(status.get("sc")))
        if isinstance(symbol, str) and halted is not None:
            halts[symbol] = (to_utc(status.get("t")) or received_at) if halted else None
    return halts


def still_halted(
    halted_since: Mapping[str, dt.datetime], trades: Mapping[str, Trade]
) -> dict[str, dt.datetime]:
    """Return the halts without a later trade, which would prove that trading resumed.

    Args:
        halted_since: When each symbol was halted.
        trades: The newest trade of each symbol.
    """
    return {
        symbol: since
        for symbol, since in halted_since.items()
        if not _is_traded(trades.get(symbol), since + _LATE_REPORTS)
    }


def _is_traded(trade: Trade | None, after: dt.datetime) -> bool:
    at = None if trade is None else trade.timestamp or trade.received_at
    return at is not None and at > after
