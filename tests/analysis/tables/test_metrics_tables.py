"""The tables themselves: names and types, what refreshes keep, when they change, purity."""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import gc
import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper import analysis
from options_helper.analysis.holdings import portfolio_arrays as arrays_module
from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_underlying_rows,
)
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.columns import columns_of, names_of
from options_helper.analysis.tables.deadlines import recompute_key
from options_helper.analysis.tables.view import compute_view
from options_helper.market import (
    LiveSnapshot,
    MarketPhase,
    PreviousClose,
    Quote,
    StreamHealth,
    StreamName,
    StreamState,
    Trade,
)
from options_helper.models import EquityPosition, Portfolio, StockLeg
from options_helper.quote_tables import QuoteTable, TradeTable
from options_helper.times import NEW_YORK
from tests.builders import AT, CALL, FRIDAY, leg, quote, single, snapshot, vertical

PROMISED_POSITION_COLUMNS = """
    id symbol option_type expiry dte strike contracts cost_basis contract_symbol bid ask last
    mark spread_pct quote_age_seconds pnl_abs pnl_pct warnings
""".split()  # noqa: SIM905 - a list to read

PROMISED_STRUCTURE_COLUMNS = """
    id symbol net_debit net_mark net_pnl_abs net_pnl_pct quote_age_seconds_max missing_legs
    warnings
""".split()  # noqa: SIM905 - a list to read

PROMISED_LEG_COLUMNS = """
    position_id leg_index side option_type expiry dte strike contracts signed_contracts
    contract_symbol bid ask last mark spread_pct quote_age_seconds leg_value warnings
""".split()  # noqa: SIM905 - a list to read


def both_kinds() -> Portfolio:
    """A portfolio with every kind of position."""
    covered = vertical(id="cc", legs=[StockLeg(side="long", shares=100), leg("short", "call", 260)])
    shares = EquityPosition(id="sh", symbol="MSFT", shares=5, cost_basis=400)
    return Portfolio(positions=[single(), vertical(), shares, covered], cash=10.0)


def all_tables(portfolio: Portfolio, live: LiveSnapshot) -> list[pd.DataFrame]:
    """The four tables of one refresh."""
    rows = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
    structures, legs = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
    stocks = compute_live_underlying_rows(portfolio, live, rows, structures, legs, stale_after_seconds=30)
    return [rows, structures, legs, stocks]


@pytest.mark.parametrize("portfolio", [Portfolio(), both_kinds()], ids=["empty", "full"])
def test_columns_have_their_promised_names_order_and_types(portfolio: Portfolio) -> None:
    """An empty portfolio's tables have the same columns and types as any other's."""
    rows, structures, legs, stocks = all_tables(portfolio, snapshot(quote(CALL, 9, 9.4)))
    assert rows.columns[: len(PROMISED_POSITION_COLUMNS)].tolist() == PROMISED_POSITION_COLUMNS
    assert structures.columns[: len(PROMISED_STRUCTURE_COLUMNS)].tolist() == PROMISED_STRUCTURE_COLUMNS
    assert legs.columns[: len(PROMISED_LEG_COLUMNS)].tolist() == PROMISED_LEG_COLUMNS
    for table, schema, filled in zip(
        [rows, structures, legs, stocks], list(Table)[:4], all_tables(both_kinds(), snapshot()), strict=True
    ):
        assert tuple(table.columns) == names_of(schema)
        types = [str(column.dtype) for column in columns_of(schema)]
        assert table.dtypes.astype(str).tolist() == types
        assert table.dtypes.astype(str).to_dict() == filled.dtypes.astype(str).to_dict()
    assert rows["dte"].dtype == "Int64"
    assert rows["mark"].dtype == "float64"
    assert rows["id"].dtype == "str"
    assert isinstance(rows["state"].dtype, pd.CategoricalDtype)


def test_tables_may_be_changed_without_harm_to_the_next() -> None:
    """A caller's edits never reach the columns that are kept between refreshes."""
    portfolio, live = both_kinds(), snapshot(quote(CALL, 9, 9.4))
    before = [table.copy(deep=True) for table in all_tables(portfolio, live)]
    for table in all_tables(portfolio, live):
        for name in table.columns:
            table[name] = table[name].iloc[::-1].to_numpy()
        table.iloc[:, 0] = "changed"
        for warnings in table["warnings"]:
            warnings.append("changed")
    for table, again in zip(before, all_tables(portfolio, live), strict=True):
        pd.testing.assert_frame_equal(table, again)


def test_plain_dicts_tables_and_look_alikes_give_the_same_rows() -> None:
    """Quotes may be a dict, the columnar table, or any objects with the same attributes."""
    seen, traded = quote(CALL, 9, 9.4), Trade(CALL, 9.1, 1, AT, AT)
    columnar = snapshot(
        option_quotes=QuoteTable.of([seen]), option_trades=TradeTable.of([traded]),
    )  # fmt: skip
    plain = snapshot(option_quotes={CALL: seen}, option_trades={CALL: traded})
    alike = snapshot(
        option_quotes={CALL: SimpleNamespace(**{name: getattr(seen, name) for name in Quote.__slots__})},
        option_trades={CALL: SimpleNamespace(symbol=CALL, price=9.1, size=1, timestamp=AT)},
    )
    expected = compute_live_position_rows(both_kinds(), columnar, stale_after_seconds=30)
    for live in (plain, alike):
        table = compute_live_position_rows(both_kinds(), live, stale_after_seconds=30)
        pd.testing.assert_frame_equal(table, expected)


def test_symbols_that_come_later_are_found() -> None:
    """A table that has grown is looked up again, even if its index is the same object."""
    portfolio = Portfolio(positions=[single(), single(id="b", strike=260.0)])
    table = QuoteTable.of([quote(CALL, 9, 9.4)])

    def marks(quotes: QuoteTable) -> Sequence[bool]:
        live = snapshot(option_quotes=quotes)
        rows = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
        found: list[bool] = rows["mark"].notna().tolist()
        return found

    assert marks(table) == [True, False]
    grown = table.updated([quote("AAPL261218C00260000", 4, 4.2)])
    assert marks(grown) == [True, True]
    assert marks(table) == [True, False]
    assert marks(QuoteTable.empty()) == [False, False]


def test_an_empty_place_in_a_table_is_not_a_quote() -> None:
    """Tables have a row for each subscribed symbol from the start; it counts once it has a price."""
    portfolio = Portfolio(positions=[single()])
    live = snapshot(option_quotes=QuoteTable.empty([CALL]), option_trades=TradeTable.empty([CALL]))
    row = compute_live_position_rows(portfolio, live, stale_after_seconds=30).iloc[0]
    assert (row["state"], row["warnings"]) == ("no_data", ["missing_quote"])
    assert pd.isna(row["last"])


def test_a_plain_dict_of_stocks_may_change_in_place() -> None:
    """Only a run's own tables are immutable; a changed dict is read again with the same snapshot."""
    stocks = {"AAPL": quote("AAPL", 271.4, 271.6)}
    portfolio, live = Portfolio(positions=[single()]), snapshot(stock_quotes=stocks)
    prices = []
    for bid in (271.4, 280.0):
        stocks["AAPL"] = quote("AAPL", bid, bid + 0.2)
        table = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
        prices.append(table["underlying_price"].iloc[0])
    assert prices == pytest.approx([271.5, 280.1])


def test_static_columns_are_built_once_per_portfolio_and_forgotten_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Refreshes share a portfolio's arrays, which are freed with it."""
    built: list[Portfolio] = []
    build = arrays_module.build_arrays

    def counting(portfolio: Portfolio) -> arrays_module.PortfolioArrays:
        built.append(portfolio.model_copy())
        return build(portfolio)

    monkeypatch.setattr(arrays_module, "build_arrays", counting)
    portfolio, kept = both_kinds(), len(arrays_module._arrays_by_id)
    for ago in range(3):
        all_tables(portfolio, snapshot(quote(CALL, 9, 9.4, ago=ago)))
    assert len(built) == 1
    all_tables(both_kinds(), snapshot())
    assert len(built) == 2
    gc.collect()
    assert len(arrays_module._arrays_by_id) <= kept + 1
    key = id(portfolio)
    assert key in arrays_module._arrays_by_id
    del portfolio
    gc.collect()
    assert key not in arrays_module._arrays_by_id


@pytest.mark.parametrize("threshold", [0, -1, math.nan])
def test_a_threshold_that_means_nothing_is_refused(threshold: float) -> None:
    """An invalid threshold raises instead of being clamped."""
    with pytest.raises(ValueError, match="stale_after_seconds"):
        compute_live_position_rows(both_kinds(), snapshot(), stale_after_seconds=threshold)


def test_underlyings_show_price_change_and_sums() -> None:
    """An underlying's change is relative only to the close of the previous trading day."""
    live = snapshot(
        quote(CALL, 9.0, 9.4),
        stock_quotes=QuoteTable.of([quote("AAPL", 271.4, 271.6), quote("MSFT", 498, 499)]),
        stock_trades=TradeTable.of([Trade("AAPL", 271.45, 1, AT)]),
        stock_feed="sip",
        previous_closes={
            "AAPL": PreviousClose(270.0, FRIDAY),
            "MSFT": PreviousClose(500.0, dt.date(2026, 11, 19)),
        },
    )
    stocks = all_tables(both_kinds(), live)[3].set_index("underlying")
    apple, micro = stocks.loc["AAPL"], stocks.loc["MSFT"]
    assert (apple["price"], apple["last"], apple["source"]) == (pytest.approx(271.5), 271.45, "SIP")
    assert (apple["change"], apple["change_pct"]) == (pytest.approx(1.5), pytest.approx(1.5 / 270))
    assert (apple["positions"], apple["legs"], apple["coverage"]) == (3, 5, "3 of 5")
    assert pd.isna(apple["open_pnl"])
    assert apple["open_pnl_partial"] == pytest.approx((9.2 - 18.4) * 300)
    assert apple["open_pnl_covered"] == 1
    assert pd.isna(micro["change"])
    assert micro["warnings"] == ["previous_close_old"]
    assert micro["open_pnl"] == pytest.approx((498.5 - 400) * 5)


PHASES = st.sampled_from([MarketPhase.UNKNOWN, MarketPhase.OPEN, MarketPhase.CLOSED, MarketPhase.AFTER])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0, 60), min_size=1, max_size=4),
    st.floats(0, 15),
    PHASES,
    st.sampled_from([0.0, 6 * 3600 - 20.0, 14 * 3600 - 10.0]),
)
def test_nothing_changes_before_the_deadline(
    agos: list[float], heard: float, phase: str, later: float
) -> None:
    """A microsecond before the deadline, with pongs as before, every state and warning is unchanged."""
    at = AT + dt.timedelta(seconds=later)
    expiry = dt.date(2026, 11, 23)
    portfolio = Portfolio(
        positions=[single(id=str(n), strike=200.0 + n, expiry=expiry) for n in range(len(agos))]
    )
    quotes = [quote(f"AAPL261123C00{200 + n}000", 5, 5.1, ago, at) for n, ago in enumerate(agos)]
    health = {
        name: StreamHealth(name, StreamState.RUNNING, last_heard_at=at - dt.timedelta(seconds=heard))
        for name in (StreamName.OPTIONS, StreamName.STOCKS)
    }
    live = LiveSnapshot(
        as_of=at, option_quotes=QuoteTable.of(quotes), market_phase=phase, health=health,
        market_phase_until=at + dt.timedelta(minutes=3),
    )  # fmt: skip
    tables = all_tables(portfolio, live)
    moment = compute_view(portfolio, live, stale_after_seconds=30).until
    assert at < moment <= at + dt.timedelta(minutes=3)
    passed = moment - at - dt.timedelta(microseconds=1)
    heard_as_before = {
        name: dataclasses.replace(record, last_heard_at=record.last_heard_at + passed)
        for name, record in health.items()
        if record.last_heard_at
    }
    just_before = dataclasses.replace(live, as_of=at + passed, health=heard_as_before)
    assert recompute_key(just_before) == recompute_key(live)
    for now, then in zip(tables, all_tables(portfolio, just_before), strict=True):
        for name in ("state", "warnings", "dte", "mark"):
            if name in now:
                assert now[name].astype(object).equals(then[name].astype(object)), name


@pytest.mark.parametrize(
    ("ago", "heard", "phase", "seconds"),
    [
        (10, None, "unknown", 20.000001),  # turns stale
        (40, None, "closed", 14 * 3600.0),  # nothing but midnight in New York
        (40, 3, "open", 14 * 3600.0),  # quiet for as long as the recompute key is the same
    ],
)
def test_the_deadline_is_the_next_change(ago: float, heard: float | None, phase: str, seconds: float) -> None:
    """The next deadline is when a quote becomes stale, or when the date changes."""
    health = {}
    if heard is not None:
        heard_at = AT - dt.timedelta(seconds=heard)
        health["options"] = StreamHealth(StreamName.OPTIONS, StreamState.RUNNING, last_heard_at=heard_at)
    live = snapshot(quote(CALL, 9, 9.4, ago), market_phase=phase, health=health)
    view = compute_view(Portfolio(positions=[single()]), live, stale_after_seconds=30)
    assert (view.until - AT).total_seconds() == pytest.approx(seconds)


def test_the_next_expiry_is_a_deadline() -> None:
    """If two contracts expire today, the earlier expiry is the deadline."""
    at = dt.datetime(2026, 12, 18, 15, 50, tzinfo=NEW_YORK)
    portfolio = Portfolio(positions=[single(symbol="SPY"), single(id="b")])
    live = LiveSnapshot(as_of=at)
    assert compute_view(portfolio, live, stale_after_seconds=30).until == at.replace(hour=16, minute=0)
    later = dataclasses.replace(live, as_of=at.replace(hour=16, minute=1))
    assert compute_view(portfolio, later, stale_after_seconds=30).until == at.replace(hour=16, minute=15)


ANALYSIS = Path(analysis.__file__).parent
METRICS = sorted(path.relative_to(ANALYSIS).as_posix() for path in ANALYSIS.rglob("*.py"))

IMPURE_MODULES = {"io", "os", "pathlib", "random", "socket", "subprocess", "threading", "time", "logging"}

IMPURE_NAMES = {"now", "utcnow", "today", "utc_now", "open", "print", "getenv", "environ"}


@pytest.mark.slow
@pytest.mark.parametrize("name", METRICS)
def test_the_analysis_has_no_clock_and_no_io(name: str) -> None:
    """No analysis module imports or calls anything that reads a clock, a file or the environment."""
    source = (ANALYSIS / name).read_text(encoding="utf-8")
    imported, called = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
            called |= {alias.name for alias in node.names}
        if isinstance(node, ast.Call):
            function = node.func
            called.add(function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", ""))
    assert not imported & IMPURE_MODULES
    assert not called & IMPURE_NAMES


def test_rows_with_equal_warnings_have_lists_of_their_own() -> None:
    """Writing into one row's warnings changes no other row."""
    rows = compute_live_position_rows(
        Portfolio(positions=[single(), single(id="b")]), snapshot(), stale_after_seconds=30
    )
    rows["warnings"].iloc[0].append("changed")
    assert "changed" not in rows["warnings"].iloc[1]


def test_a_caller_may_change_columns_that_are_kept_from_one_refresh_to_the_next() -> None:
    """Days to expiry and numbers of legs are computed once; a view shares them, a caller gets copies."""
    portfolio, live = Portfolio(positions=[single()]), snapshot()
    view = compute_view(portfolio, live, stale_after_seconds=30)
    expected = view.positions["dte"].iloc[0], view.underlyings["legs"].iloc[0]
    for _ in range(2):
        rows = compute_live_position_rows(portfolio, live, stale_after_seconds=30)
        structures, legs = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30)
        sums = compute_live_underlying_rows(portfolio, live, rows, structures, legs, stale_after_seconds=30)
        assert (rows["dte"].iloc[0], sums["legs"].iloc[0]) == expected
        rows.loc[0, "dte"] = sums.loc[0, "legs"] = sums.loc[0, "legs_with_mark"] = 999
    tomorrow = dataclasses.replace(live, as_of=live.as_of + dt.timedelta(days=1))
    later = compute_view(portfolio, tomorrow, stale_after_seconds=30).positions
    assert later["dte"].iloc[0] == expected[0] - 1
