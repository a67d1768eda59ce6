"""Assignments, exercises and expiries: activities that no stream reports.

Field names: "Options Trading Overview" of docs.alpaca.markets. The shares of an assignment or
exercise (OPTRD) carry its `group_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from options_helper.simulator.account.orders import ZERO, text_of
from options_helper.simulator.account.positions import Positions
from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.wire import JsonObject, Nanoseconds

CASH_KINDS = {"FEE": "Fee", "DIV": "Dividend", "INT": "Interest", "CSD": "Deposit", "CSW": "Withdrawal"}
DESCRIPTIONS = {"OPASN": "Option Assignment", "OPEXC": "Option Exercise", "OPEXP": "Option Expiry"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent:
    """A change in a position or in cash that no order made.

    Attributes:
        kind: "OPASN", "OPEXC", "OPEXP" or "OPTRD"; for cash alone "FEE", "DIV", "INT", "CSD" or "CSW".
        symbol: The contract or stock, "" for cash alone.
        qty: The signed change in the position.
        price: Dollars per share for an OPTRD, else 0.
        cash: Dollars received, negative if paid, without the price of shares.
        group_id: An id that the activity of a contract shares with that of its shares.
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
        """The identifier, dated at midnight, as Alpaca writes it for activities without a time."""
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


def _settled_parts(
    kind: str, symbol: str, qty: int, *, held: Decimal
) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    """Yield kind, symbol, signed quantity and price of each activity of a settlement.

    Raises:
        ValueError: The kind or the symbol is invalid.
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


class AccountEvents:
    """Every change in an account that no order made, oldest first.

    Args:
        positions: The positions that the events change.
        clock: Returns the time of events.
        identify: Returns a new identifier.
    """

    def __init__(
        self, positions: Positions, clock: Callable[[], Nanoseconds], identify: Callable[[], str]
    ) -> None:
        self.rows: list[AccountEvent] = []
        self._positions = positions
        self._clock = clock
        self._identify = identify

    def settle(self, kind: str, symbol: str, qty: int) -> None:
        """Assign, exercise or expire contracts, which only activities report, never the stream.

        Args:
            kind: "OPASN", "OPEXC" or "OPEXP".
            symbol: The contract.
            qty: The number of contracts, above zero.

        Raises:
            ValueError: The kind or the symbol is invalid.
        """
        parts = _settled_parts(kind, symbol, qty, held=self._positions.quantity(symbol))
        group = None if kind == "OPEXP" else self._identify()
        for part in parts:
            self._record(*part, group)

    def move_cash(self, kind: str, amount: Decimal) -> None:
        """Record a fee, a dividend, interest, a deposit or a withdrawal; the amount is negative if paid.

        Raises:
            ValueError: The kind is not one of these.
        """
        if kind not in CASH_KINDS:
            raise ValueError(f"{kind} does not move cash")
        self._record(kind, "", ZERO, ZERO, None, cash=amount)

    def _record(
        self,
        kind: str,
        symbol: str,
        qty: Decimal,
        price: Decimal,
        group: str | None,
        *,
        cash: Decimal = ZERO,
    ) -> None:
        self._positions.move(symbol, qty, price)
        self.rows.append(
            AccountEvent(
                kind=kind,
                symbol=symbol,
                qty=qty,
                price=price,
                group_id=group,
                at=self._clock(),
                identifier=self._identify(),
                cash=cash,
            )
        )
