"""Reads the trading statuses of stocks, to find out which are halted.

Source: Alpaca's "Real-time Stock Data" page, "Trading Status"; the tape's own plan defines the code `sc`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from options_helper.data.values import to_utc
from options_helper.market import Trade

# CTA (tapes A and B): 2 halt, 3 resume. UTP (tapes C and O): H halt, P volatility pause, T trading resumes.
# Quotation resumption (Q) is not trading yet; no other code concerns a halt.
_HALTED_BY_CODE = {"2": True, "3": False, "H": True, "P": True, "T": False}

# Off-exchange trades may be reported up to 10 s late, and carry the time of their report.
_LATE_REPORTS = dt.timedelta(seconds=15)


def read_halts(statuses: Iterable[object], received_at: dt.datetime) -> dict[str, dt.datetime | None]:
    """Return when each symbol was halted, or None if its trading has resumed, from its newest status.

    Args:
        statuses: Raw messages with `S` (symbol), `sc` (code) and `t` (time); others are skipped.
        received_at: When they were received; used for statuses without a time.
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
    """Return the halts that no later trade contradicts.

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
