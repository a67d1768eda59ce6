"""The account as one refresh shows it: the comparison, the money and the corrected file. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

from apps.streamlit.components.positions.table.records import plain_records
from options_helper.analysis.account.closed_today import ClosedToday, find_closed_today
from options_helper.analysis.account.compare import AccountComparison, BrokerSide, compare_account
from options_helper.analysis.account.day_result import AccountDay, day_of
from options_helper.analysis.account.equity import EquityBridge, OwnValue, exact, explain_equity
from options_helper.analysis.account.panel_words import not_held_words
from options_helper.analysis.account.records import AccountHistory, Holding, held_fills
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.view import TablesView
from options_helper.errors import PortfolioError
from options_helper.files.account_portfolio import ExistingFile, write_account_portfolio
from options_helper.market import BrokerAccount, LiveSnapshot
from options_helper.models import Portfolio
from options_helper.times import new_york_date


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """The account as the page shows it.

    Attributes:
        compared: The comparison of file and account, None while the broker's positions are unknown.
        not_held_pnl: The open P/L of positions that the broker does not hold.
        money: The broker's figures, None while they are unknown.
        day: The account's result for the day, None while it is unknown.
        closed: Lots that were closed today.
        history_since: The first day of the activities that can explain a difference.
        has_bridge: True if the difference between value and equity can be explained.
        view: The tables that the account is compared with.
    """

    compared: AccountComparison | None
    not_held_pnl: float
    money: BrokerAccount | None
    history_since: dt.date | None
    day: AccountDay | None
    closed: tuple[ClosedToday, ...]
    has_bridge: bool
    view: TablesView

    @property
    def bridge(self) -> EquityBridge | None:
        """The difference between value and equity, explained; None while either is unknown."""
        return _bridge(self.view)

    @property
    def not_held_words(self) -> str:
        """The part of the totals that the broker does not hold, in words, or ""."""
        return "" if self.compared is None else not_held_words(self.compared, self.not_held_pnl)


@lru_cache(maxsize=4)  # all tabs show the same
def build_account_view(view: TablesView, saved_at: dt.datetime | None) -> AccountView:
    """Return the account compared with the tables of one refresh."""
    live = view.at
    compared = _compare(view.portfolio, BrokerSide.of(live), saved_at)
    day, closed = _day_and_closed(live)
    money = live.broker
    is_money_known = money is not None and None not in {money.equity, money.cash}
    return AccountView(
        compared=compared,
        not_held_pnl=_open_pnl(view, frozenset() if compared is None else compared.not_held),
        money=money,
        history_since=live.broker_history_since,
        day=day,
        closed=closed,
        has_bridge=is_money_known and live.broker_positions_at is not None,
        view=view,
    )


# Everything in a snapshot that the account's day depends on, besides its date and the state of the history.
_SOURCES_OF_DAY = attrgetter(
    "broker_positions",
    "broker_positions_at",
    "broker_unread",
    "broker_fills",
    "broker_events",
    "broker_history_since",
    "broker_cash",
    "broker_cash_since",
    "splits",
    "previous_closes",
    "trading_date",
    "previous_trading_date",
    "previous_session_close",
    "clock_offset_seconds",
)
_Day = tuple[AccountDay | None, tuple[ClosedToday, ...]]


def _day_and_closed(live: LiveSnapshot) -> _Day:
    """Return the day's result and what was closed; the last ones if nothing they depend on has changed."""
    global _last_day  # noqa: PLW0603 - all tabs show the same
    sources = (_SOURCES_OF_DAY(live), new_york_date(live.as_of), live.backfill.get("history"))
    known, day = _last_day
    if day is None or known != sources:
        day = day_of(live), find_closed_today(live)
        _last_day = sources, day
    return day


_last_day: tuple[tuple[object, ...], _Day | None] = (), None


def _compare(
    portfolio: Portfolio, broker: BrokerSide | None, saved_at: dt.datetime | None
) -> AccountComparison | None:
    """Return the comparison; the last one if neither side has changed, because prices do not enter it."""
    global _last  # noqa: PLW0603 - all tabs show the same
    if broker is None:
        return None
    sides, compared = _last
    if sides is None or sides[0] is not portfolio or sides[1:] != (broker, saved_at):
        compared = compare_account(portfolio, broker, saved_at=saved_at)
        _last = (portfolio, broker, saved_at), compared
    return compared


_last: tuple[tuple[Portfolio, BrokerSide, dt.datetime | None] | None, AccountComparison | None] = None, None


def write_corrected_file(existing: ExistingFile, live: LiveSnapshot) -> str:
    """Return the file's text with the account's quantities, or the reason why it cannot be written.

    New legs are grouped by recent orders only; `options-helper portfolio --merge` reads all orders.
    """
    try:
        return write_account_portfolio(_history(live), existing).text
    except PortfolioError as error:
        return error.reason


def _history(live: LiveSnapshot) -> AccountHistory:
    holdings = [
        Holding(
            symbol=symbol, quantity=exact(position.quantity), entry_price=exact(position.entry_price or 0.0)
        )
        for symbol, position in live.broker_positions.items()
    ]
    parents = {
        str(leg["order_id"]): str(order["order_id"])
        for order in live.rest_orders
        if order.get("order_class") == "mleg"
        for leg in order.get("legs", ())
    }
    cash = None if live.broker is None or live.broker.cash is None else exact(live.broker.cash)
    return AccountHistory(
        holdings=holdings,
        unread=bool(live.broker_unread),
        fills=held_fills(live),
        events=live.broker_events,
        cash=cash,
        parents=parents,
    )


@lru_cache(maxsize=2)  # all tabs show the same
def _bridge(view: TablesView) -> EquityBridge | None:
    live = view.at
    if live.broker is None or live.broker_positions_at is None:
        return None
    cash = exact(view.portfolio.cash)
    return explain_equity(_own_values(view), cash, live.broker_positions, live.broker)


def _own_values(view: TablesView) -> Iterator[OwnValue]:
    names = ("mark", "quote_symbol", "quantity", "multiplier")
    tables = (view.columns[Table.POSITIONS], view.columns[Table.LEGS])
    for record in (record for table in tables for record in plain_records(table, names)):
        mark = record["mark"]
        yield OwnValue(
            symbol=record["quote_symbol"],
            quantity=exact(record["quantity"]),
            mark=None if mark is None else exact(mark),
            size=Decimal(repr(record["multiplier"])),
        )


def _open_pnl(view: TablesView, ids: frozenset[str]) -> float:
    """Return the open P/L of some positions as the totals count it."""
    if not ids:
        return 0.0
    tables = ((Table.POSITIONS, "pnl_abs"), (Table.STRUCTURES, "net_pnl_abs"))
    rows = [
        (record["id"], record[pnl])
        for table, pnl in tables
        for record in plain_records(view.columns[table], ("id", pnl))
    ]
    return float(sum(pnl for name, pnl in rows if name in ids and pnl is not None))
