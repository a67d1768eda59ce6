"""Assignments, exercises and expiries: activities that no stream reports.

Field names: "Options Trading Overview" of docs.alpaca.markets. The shares of an assignment or
exercise (OPTRD) carry its `group_id`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from options_helper.simulator.account.orders import ZERO, text_of
from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.wire import JsonObject, Nanoseconds

CASH_KINDS = {"FEE": "Fee", "DIV": "Dividend", "INT": "Interest", "CSD": "Deposit", "CSW": "Withdrawal"}
DESCRIPTIONS = {"OPASN": "Option Assignment", "OPEXC": "Option Exercise", "OPEXP": "Option Expiry"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent:
    """A change of a position that no order made.

    Attributes:
        kind: "OPASN", "OPEXC", "OPEXP" or "OPTRD"; for cash alone "FEE", "DIV", "INT", "CSD" or "CSW".
        symbol: "" for cash alone.
        qty: The signed change in the position.
        price: Dollars per share for an OPTRD, else 0.
        cash: Dollars received, negative if paid, besides those for shares.
        group_id: Shared by the row of a contract and the row of its shares.
    """

    kind: str
    symbol: str
    qty: Decimal
    price: Decimal
    group_id: str | None
    at: Nanoseconds
    identifier: str
    cash: Decimal = Decimal(0)

    @property
    def activity_id(self) -> str:
        """The day at midnight, as Alpaca numbers activities without a time."""
        return f"{self.at.to_new_york():%Y%m%d}000000000::{self.identifier}"


def event_row(event: AccountEvent) -> JsonObject:
    """Return an event as an activity."""
    row: JsonObject = {
        "activity_type": event.kind,
        "id": event.activity_id,
        "date": f"{event.at.to_new_york():%Y-%m-%d}",
        "net_amount": text_of(event.cash - event.qty * event.price),
        "description": (DESCRIPTIONS | CASH_KINDS).get(event.kind, "Option Trade"),
        "status": "executed",
    }
    if event.symbol:
        row |= {"symbol": event.symbol, "qty": text_of(event.qty)}
    if event.kind == "OPTRD":
        row["price"] = text_of(event.price)
    if event.group_id is not None:
        row["group_id"] = event.group_id
    return row


def settled_parts(
    kind: str, symbol: str, qty: int, *, held: Decimal
) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    """Yield kind, symbol, signed quantity and price of each activity of a settlement.

    Raises:
        ValueError: The kind or the symbol is not valid.
    """
    contract = parse_contract(symbol)
    if contract is None or kind not in DESCRIPTIONS:
        raise ValueError(f"cannot settle {symbol} by {kind}")
    adds = held < 0 or (not held and kind == "OPASN")
    yield kind, symbol, Decimal(qty if adds else -qty), ZERO
    if kind != "OPEXP":
        # A long call and a short put receive the shares.
        shares = 100 * qty * (1 if contract.is_call == (kind == "OPEXC") else -1)
        yield "OPTRD", contract.underlying, Decimal(shares), Decimal(str(contract.strike))
