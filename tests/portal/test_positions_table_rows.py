"""The payload of the positions table: the metrics' figures, and equal bytes for equal input."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("streamlit", reason="the portal needs the extra [ui]")

from apps.streamlit.components.positions.table import TableRows, build_table_rows, legs_csv, positions_csv
from apps.streamlit.components.positions.table.grouping import Grouping, regroup
from apps.streamlit.components.positions.table.layout import build_layout
from apps.streamlit.components.positions.table.row_words import describe_price, split_warnings, warning_words
from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_totals,
    compute_live_underlying_rows,
)
from options_helper.analysis.risk import compute_live_risk
from options_helper.analysis.tables import columns, positions, structures
from options_helper.analysis.tables.column_type import Column, Dtype, Table
from options_helper.analysis.text.figures import format_strike
from options_helper.analysis.valuation.row_warnings import RowWarning
from options_helper.market import (
    Greeks,
    LiveSnapshot,
    MarketPhase,
    PreviousClose,
    Quote,
    StreamHealth,
    StreamName,
    StreamState,
)
from options_helper.models import Portfolio

pytestmark = pytest.mark.portal

NOW = dt.datetime(2026, 11, 20, 17, 0, 0, 123_456, tzinfo=dt.UTC)
MINUS = "\N{MINUS SIGN}"
MIDS = {
    "AAPL261218C00250000": 23.37,
    "BRKB270115C00500000": 22.55,
    "MSFT261218C00500000": 12.90,
    "MSFT270115C00500000": 17.53,
    "AAPL261218P00260000": 1.92,
    "AAPL261218P00255000": 1.21,
}


def _leg(
    side: str, kind: str, strike: float, expiry: str = "2026-12-18", contracts: int = 1
) -> dict[str, Any]:
    return {"side": side, "option_type": kind, "strike": strike, "expiry": expiry, "contracts": contracts}


def _single(name: str, symbol: str, strike: float, **more: Any) -> dict[str, Any]:
    terms = {"option_type": "call", "expiry": "2026-12-18", "contracts": 1, "cost_basis": 18.4}
    return {"id": name, "symbol": symbol, "strike": strike, **terms, **more}


POSITIONS: list[dict[str, Any]] = [
    _single("msft-old", "MSFT", 480, expiry="2026-10-16"),
    {"id": "calendar", "symbol": "MSFT", "net_debit": 405.0,
     "legs": [_leg("short", "call", 500), _leg("long", "call", 500, "2027-01-15")]},
    _single("brk", "BRK-B", 500, expiry="2027-01-15", cost_basis=19.1),
    _single("aapl", "AAPL", 250, contracts=3),
    {"id": "put spread", "symbol": "AAPL", "net_debit": -142.0,
     "legs": [_leg("short", "put", 260, contracts=2), _leg("long", "put", 255, contracts=2)]},
    {"id": "shares", "symbol": "AAPL", "shares": 100, "cost_basis": 260.0},
]  # fmt: skip


def _snapshot(
    age: float = 2.0, *, mids: dict[str, float] | None = None, at: dt.datetime = NOW
) -> LiveSnapshot:
    when = NOW - dt.timedelta(seconds=age)

    def quote(symbol: str, mid: float) -> Quote:
        return Quote(symbol, mid - 0.05, mid + 0.05, 10, 12, timestamp=when, received_at=when)

    health = {
        str(name): StreamHealth(name, StreamState.RUNNING, last_heard_at=at)
        for name in (StreamName.STOCKS, StreamName.OPTIONS)
    }
    return LiveSnapshot(
        as_of=at,
        running=True,
        market_phase=MarketPhase.OPEN,
        option_quotes={
            symbol: quote(symbol, mid) for symbol, mid in (MIDS if mids is None else mids).items()
        },
        stock_quotes={symbol: quote(symbol, 271.5) for symbol in ("AAPL", "MSFT", "BRK.B")},
        previous_closes={"AAPL": PreviousClose(270.0, dt.date(2026, 11, 19))},
        previous_trading_date=dt.date(2026, 11, 19),
        greeks={"AAPL261218C00250000": Greeks(delta=0.81234, theta=-0.031, implied_volatility=0.2841)},
        health=health,
    )


def _payload(
    snapshot: LiveSnapshot | None = None,
    positions: list[dict[str, Any]] | None = None,
    notes: dict[str, str] | None = None,
    *,
    without: tuple[str, ...] = (),
    with_risk: bool = False,
    held: Portfolio | None = None,
) -> TableRows:
    live = snapshot or _snapshot()
    portfolio = held or Portfolio.model_validate({"positions": POSITIONS if positions is None else positions})
    singles = compute_live_position_rows(portfolio, live, stale_after_seconds=30.0)
    structures, legs = compute_live_multileg_rows(portfolio, live, stale_after_seconds=30.0)
    compute_live_totals(portfolio, singles, structures, legs)
    underlyings = compute_live_underlying_rows(
        portfolio, live, singles, structures, legs, stale_after_seconds=30.0
    )
    tables = [
        table.drop(columns=list(without), errors="ignore")
        for table in (singles, structures, legs, underlyings)
    ]
    risk = compute_live_risk(portfolio, live) if with_risk else None
    return build_table_rows(portfolio, *tables, notes, risk=risk, as_of=live.as_of, stale_after_seconds=30.0)


def _row(payload: TableRows, row_id: str) -> dict[str, Any]:
    rows = [dict(zip(payload["fields"], values, strict=True)) for values in payload["rows"]]
    return next(row for row in rows if row["id"] == row_id)


def _group(payload: TableRows, name: str) -> dict[str, Any]:
    rows = [dict(zip(payload["group_fields"], values, strict=True)) for values in payload["groups"]]
    return next(row for row in rows if row["id"] == name)


def test_rows_are_below_their_underlying_in_the_files_order_and_legs_below_their_structure() -> None:
    """Underlyings are in alphabetical order; BRK-B is BRK.B."""
    payload = _payload()
    assert [values[0] for values in payload["groups"]] == ["AAPL", "BRK.B", "MSFT"]
    assert [values[0] for values in payload["rows"]] == [
        "aapl", "put spread", "put spread/0", "put spread/1", "shares",
        "brk", "msft-old", "calendar", "calendar/0", "calendar/1",
    ]  # fmt: skip
    assert payload["ids"] == ["aapl", "put spread", "shares", "brk", "msft-old", "calendar"]
    assert _row(payload, "calendar/1")["parent"] == "calendar"


def test_a_single_shows_the_metrics_figures() -> None:
    """Prices are per share, and P/L is in dollars."""
    row = _row(_payload(), "aapl")
    shown = {key: row[key] for key in ("qty", "dte", "cost", "bid", "ask", "mark", "natural", "pnl_open")}
    assert shown == pytest.approx(
        {"qty": 3, "dte": 28, "cost": 18.4, "bid": 23.32, "ask": 23.42, "mark": 23.37, "natural": 23.32,
         "pnl_open": 1491}
    )  # fmt: skip
    assert (row["name"], row["sub"], row["state"], row["group"]) == (
        "250 call",
        "18 Dec 2026",
        "live",
        "AAPL",
    )
    assert row["pnl_pct"] == pytest.approx(1491 / 5520, abs=1e-5)


def test_a_structure_is_one_row_per_unit_and_its_legs_have_their_own_quotes() -> None:
    """Marks are per unit and P/L in dollars; legs have no P/L."""
    payload = _payload()
    row = _row(payload, "put spread")
    assert (row["qty"], row["mark"], row["cost"]) == (2, pytest.approx(-0.71), pytest.approx(-0.71))
    assert (row["pnl_open"], row["sub"]) == (pytest.approx(0), "18 Dec · 255/260")
    # Its natural is 0.81. A percentage of so small a base, against its legs' marks, is not shown.
    assert (row["spread_note"], row["spread"]) == ("$0.10", None)
    leg = _row(payload, "put spread/0")
    assert (leg["name"], leg["qty"], leg["mark"], leg["dte"]) == ("short 260 put", -2, 1.92, "")
    assert {leg[field] for field in ("cost", "pnl_open", "pnl_pct", "pnl_day")} == {""}


def test_legs_with_several_expiries_show_theirs() -> None:
    """A calendar's legs show their date and DTE."""
    payload = _payload()
    assert _row(payload, "calendar")["sub"] == "18 Dec / 15 Jan · 500"
    leg = _row(payload, "calendar/1")
    assert (leg["name"], leg["dte"]) == ("long 500 call · 15 Jan", 56)


def test_a_structures_far_expiry_shows_its_year() -> None:
    """A date without a year is within the next twelve months."""
    legs = [_leg(side, "call", strike, "2028-01-21") for side, strike in (("long", 250), ("short", 260))]
    far = {"id": "leaps", "symbol": "AAPL", "net_debit": 10.0, "legs": legs}
    assert _row(_payload(positions=[far]), "leaps")["sub"] == "21 Jan 2028 · 250/260"


def test_a_group_shows_the_same_dollars_as_its_one_position() -> None:
    """Thirty cents are $0, without a sign, in the position and in its group, in every grouping."""
    shares = {"id": "s", "symbol": "AAPL", "shares": 1, "cost_basis": 271.2}
    payload = _payload(positions=[shares])
    portfolio = Portfolio.model_validate({"positions": [shares]})
    by_strategy = regroup(payload, portfolio, Grouping.STRATEGY)
    assert _row(payload | {"rows": payload["shown"]}, "s")["pnl_open"] == 0
    assert _group(payload, "AAPL")["pnl_open"] == _group(by_strategy, "Shares")["pnl_open"] == 0


def test_a_group_shows_price_change_sums_and_coverage() -> None:
    """If everything is known, the sums are shown, and the change is from the previous close."""
    group = _group(_payload(), "AAPL")
    assert group["sub"] == "271.50 ▲ 0.56%"
    assert (group["cover"], group["partial"], group["pnl_open"]) == ("4 of 4", False, pytest.approx(2641))


def test_a_group_with_a_missing_leg_has_no_headline_and_says_what_it_covers() -> None:
    """A group that lacks a leg shows its coverage in place of a sum."""
    mids = {symbol: mid for symbol, mid in MIDS.items() if symbol != "AAPL261218C00250000"}
    group = _group(_payload(_snapshot(mids=mids)), "AAPL")
    assert (group["pnl_open"], group["partial"]) == (None, True)
    assert group["cover"] == "3 of 4: +$1,150"


def test_a_partly_missing_structure_does_not_count_as_known() -> None:
    """Three of four legs have a mark, but the known P/L covers only the call and the shares."""
    mids = {symbol: mid for symbol, mid in MIDS.items() if symbol != "AAPL261218P00255000"}
    group = _group(_payload(_snapshot(mids=mids)), "AAPL")
    assert (group["pnl_open"], group["cover"]) == (None, "2 of 4: +$2,641")


def test_before_anything_is_known_nothing_alarms() -> None:
    """If no leg has a price, the state says so once, and neither group nor structure has a warning."""
    payload = _payload(_snapshot(mids={}))
    group, calendar = _group(payload, "MSFT"), _row(payload, "calendar")
    assert (group["cover"], group["day_cover"], group["partial"]) == ("0 of 3", "1 of 3: $0", False)
    assert (calendar["state"], calendar["warning"], calendar["said"]) == (
        "no_data", None, ["missing_quote", "missing_leg"],
    )  # fmt: skip


def test_the_days_sum_says_what_it_covers_on_its_own() -> None:
    """If only the shares have a previous close, the day's sum covers one of four legs."""
    group = _group(_payload(), "AAPL")
    assert (group["partial"], group["pnl_day"], group["day_cover"]) == (False, None, "1 of 4: +$150")
    assert _group(_payload(), "BRK.B")["day_cover"] == "0 of 1"
    shares = [each for each in POSITIONS if each["id"] == "shares"]
    assert _group(_payload(positions=shares), "AAPL")["day_cover"] == ""


def test_missing_figures_are_null_and_the_state_says_why() -> None:
    """Without a quote there are no figures, and expired rows stay with their state."""
    payload = _payload(_snapshot(mids={}))
    row = _row(payload, "aapl")
    assert {row[field] for field in ("bid", "ask", "mark", "natural", "pnl_open", "spread", "time")} == {None}
    assert (row["state"], row["warning"]) == ("no_data", None)
    expired = _row(payload, "msft-old")
    assert (expired["state"], expired["dte"]) == ("expired", None)


def test_warnings_travel_as_codes_with_few_words_and_a_sentence() -> None:
    """A warning that the state already expresses is not repeated."""
    snapshot = _snapshot()
    wide = Quote("BRKB270115C00500000", 10.0, 14.0, timestamp=NOW, received_at=NOW)
    payload = _payload(replace(snapshot, option_quotes={**snapshot.option_quotes, wide.symbol: wide}))
    assert _row(payload, "brk")["warning"] == ["wide_spread"]
    few, sentence = payload["warnings"]["wide_spread"]
    assert few == "wide spread"
    assert sentence.endswith(".")


def test_warnings_that_the_state_covers_are_in_its_sentence() -> None:
    """A quiet row has no orange line; its sentence is in the Quote column."""
    payload = _payload(_snapshot(age=41))
    row = _row(payload, "aapl")
    assert (row["state"], row["warning"], row["said"]) == ("quiet", None, ["stale_quote"])
    assert payload["warnings"]["stale_quote"][1] == RowWarning.STALE_QUOTE.sentence
    assert _row(_payload(_snapshot(mids={})), "aapl")["said"] == ["missing_quote"]


def test_a_withheld_day_names_the_date_of_its_close() -> None:
    """The warning about an old close names its date; a structure's names the date of its oldest close."""
    old = {
        "AAPL261218C00250000": PreviousClose(22.0, dt.date(2026, 11, 18)),
        "AAPL261218P00260000": PreviousClose(2.0, dt.date(2026, 11, 19)),
        "AAPL261218P00255000": PreviousClose(1.0, dt.date(2026, 10, 30)),
    }
    payload = _payload(replace(_snapshot(), previous_closes=old))
    single, structure = _row(payload, "aapl"), _row(payload, "put spread")
    assert (single["pnl_day"], single["warning"]) == (None, ["previous_close_old:2026-11-18"])
    assert (structure["pnl_day"], structure["warning"]) == (None, ["previous_close_old:2026-10-30"])
    assert _row(payload, "put spread/0")["warning"] is None
    assert payload["warnings"]["previous_close_old:2026-11-18"] == [
        "P/L Day withheld, close from 18 Nov",
        f"{RowWarning.PREVIOUS_CLOSE_OLD.sentence} The close is from 18 Nov 2026.",
    ]


def test_a_row_has_its_risk_and_a_structure_only_if_all_its_legs_are_known() -> None:
    """Legs and singles have the model's figures; a structure with an unknown leg has none."""
    live = _snapshot()
    unknown = {symbol: mid for symbol, mid in MIDS.items() if symbol != "AAPL261218P00255000"}
    aapl, spread = (
        _row(_payload(live, with_risk=True), "aapl"),
        _row(_payload(live, with_risk=True), "put spread"),
    )
    legs = [_row(_payload(live, with_risk=True), f"put spread/{number}") for number in (0, 1)]
    assert aapl["delta"] == pytest.approx(265, abs=10)
    assert aapl["iv_note"].endswith("%")
    assert aapl["moves"].endswith(" moves")
    assert 0 < aapl["chance"] < 1
    assert spread["delta"] == pytest.approx(legs[0]["delta"] + legs[1]["delta"])
    assert (spread["iv"], spread["extrinsic"], legs[0]["chance"]) == ("", "", "")
    partly = _payload(_snapshot(mids=unknown), with_risk=True)
    assert _row(partly, "put spread")["delta"] is None
    assert (spread["iv_note"], _row(partly, "put spread")["iv_note"]) == ("", "1 of 2 legs")
    assert _row(partly, "put spread/0")["delta"] == legs[0]["delta"]


def test_a_group_sums_its_positions_greeks_only_if_it_has_all() -> None:
    """In every grouping, a group sums its rows' Greeks; with an unknown leg, it shows only their coverage."""
    payload = _payload(with_risk=True)
    group = _group(payload, "AAPL")
    ids = ("aapl", "put spread", "shares")
    rows = [_row(payload, each) for each in ids]
    assert group["delta"] == pytest.approx(sum(row["delta"] for row in rows), abs=0.1)
    assert group["theta"] == pytest.approx(rows[0]["theta"] + rows[1]["theta"], abs=1)
    assert (group["greeks_cover"], group["gamma"] > 0) == ("", True)
    unknown = {symbol: mid for symbol, mid in MIDS.items() if symbol != "AAPL261218P00255000"}
    partly = _payload(_snapshot(mids=unknown), with_risk=True)
    assert (_group(partly, "AAPL")["delta"], _group(partly, "AAPL")["greeks_cover"]) == (
        None,
        "Greeks 2 of 3",
    )
    portfolio = Portfolio.model_validate({"positions": [each for each in POSITIONS if each["id"] in ids]})
    alone = _payload(positions=[each for each in POSITIONS if each["id"] in ids], with_risk=True)
    shares = _group(regroup(alone, portfolio, Grouping.STRATEGY), "Shares")
    assert (shares["delta"], shares["theta"], shares["greeks_cover"]) == (100, "", "")


def test_a_heading_describes_the_figures_below_it() -> None:
    """Each field has one heading, and theta is the model's, in dollars a day."""
    labelled = [column for column in columns.COLUMNS if column.label]
    assert len({column.field for column in labelled}) == len(labelled)
    [theta] = [column for column in columns.shown_columns() if column.field == "theta"]
    assert (str(theta.format), theta.unit) == ("pnl", "dollars per day")


def test_shares_have_a_delta_and_no_other_greek() -> None:
    """Shares count one each, and their columns for options are empty, not unknown."""
    row = _row(_payload(with_risk=True), "shares")
    assert (row["delta"], row["theta"], row["iv"], row["moneyness"]) == (100.0, "", "", "")


def test_a_missing_volatility_says_why() -> None:
    """The reason is below the missing volatility, unless another cell of the row gives it."""
    live = _snapshot()
    assert _row(_payload(replace(live, stock_quotes={}), with_risk=True), "aapl")["iv_note"] == "no spot"
    assert _row(_payload(with_risk=True), "msft-old")["iv_note"] == ""


def test_on_the_last_day_the_time_of_the_last_trade_is_shown() -> None:
    """The browser counts the remaining time; on other days, and for shares, there is none."""
    today = _single("today", "AAPL", 250, expiry="2026-11-20")
    far = _single("far", "AAPL", 250)
    shares = POSITIONS[-1]
    payload = _payload(positions=[today, far, shares])
    close = dt.datetime(2026, 11, 20, 21, 0, tzinfo=dt.UTC)
    assert _row(payload, "today")["ends"] == int(close.timestamp() * 1000)
    assert (_row(payload, "far")["ends"], _row(payload, "shares")["ends"]) == (None, None)


def test_return_on_max_risk_has_its_own_column() -> None:
    """A long call risks its cost; a short call has unlimited risk and no return on it."""
    payload = _payload(positions=[_single("long", "AAPL", 250), _single("short", "AAPL", 250, contracts=-1)])
    assert _row(payload, "long")["risk"] == pytest.approx(497 / 1840, abs=1e-5)
    assert _row(payload, "short")["risk"] is None


def test_an_unknown_warning_is_shown_as_its_words() -> None:
    """An unknown code is shown as it is."""
    assert warning_words(["moon_phase"]) == {"moon_phase": ["moon phase", "moon_phase"]}


def test_the_same_snapshot_at_a_later_time_gives_the_same_rows() -> None:
    """Ages are counted in the browser, so time alone changes no row."""
    times = [NOW + dt.timedelta(seconds=second, microseconds=7 * second) for second in range(25)]
    texts = {json.dumps(_payload(_snapshot(at=at))) for at in times}
    assert len(texts) == 1


def test_times_are_milliseconds_of_the_price() -> None:
    """The browser subtracts the times from its own clock."""
    expected = int((NOW - dt.timedelta(seconds=2)).timestamp() * 1000)
    assert _row(_payload(), "aapl")["time"] == expected


def test_the_payload_is_plain_json() -> None:
    """The payload is strict JSON without NaN or NumPy values, and Python reads back equal values."""
    payload = _payload(_snapshot(mids={"AAPL261218C00250000": 0.02}))
    text = json.dumps(payload, allow_nan=False)
    assert json.loads(text)["rows"] == payload["rows"]


def test_optional_columns_may_be_missing() -> None:
    """Figures of columns that the tables lack, such as Greeks and P/L Day, are null."""
    payload = _payload(without=("delta", "theta", "iv", "pnl_day", "natural", "day_pnl"))
    row = _row(payload, "aapl")
    assert (row["delta"], row["pnl_day"], row["mark"]) == (None, None, 23.37)


def test_notes_about_fills_are_on_their_position() -> None:
    """A note is on the row of its position, word for word, and on no other."""
    payload = _payload(notes={"aapl": "2 contracts sold 10:42, after the file was saved"})
    assert _row(payload, "aapl")["note"] == "2 contracts sold 10:42, after the file was saved"
    assert _row(payload, "brk")["note"] is None


def test_what_is_kept_from_earlier_refreshes_does_not_show() -> None:
    """The rows equal those of a fresh start, even after other prices, another risk or another day."""
    held = Portfolio.model_validate({"positions": POSITIONS})
    nothing, next_day = _snapshot(mids={}), _snapshot(at=NOW + dt.timedelta(days=1))
    for live in (_snapshot(), nothing, next_day, _snapshot()):
        for with_risk in (False, True):
            assert _payload(live, with_risk=with_risk, held=held) == _payload(live, with_risk=with_risk)


def test_an_empty_portfolio_has_an_empty_payload() -> None:
    """An empty portfolio gives no rows, no groups and no error."""
    payload = _payload(positions=[])
    assert (payload["rows"], payload["groups"], payload["ids"]) == ([], [], [])


@pytest.mark.parametrize(
    ("price", "change", "words"),
    [
        (None, 0.01, "\N{EM DASH}"),
        (271.5, None, "271.50"),
        (271.5, 0.0062, "271.50 ▲ 0.62%"),
        (1271.5, -0.01, "1,271.50 ▼ 1.00%"),
        (271.5, 0.00001, "271.50 = 0.00%"),
    ],
)
def test_a_price_and_its_change_in_words(price: float | None, change: float | None, words: str) -> None:
    """The direction is shown by a sign, not by a colour."""
    assert describe_price(price, change) == words


@pytest.mark.parametrize(
    ("strike", "words"), [(250.0, "250"), (262.5, "262.5"), (1250.0, "1,250"), (0.125, "0.125")]
)
def test_strikes_have_no_unnecessary_decimals(strike: float, words: str) -> None:
    """A strike is written without trailing zeros."""
    assert format_strike(strike) == words


def test_the_csv_has_every_position_as_seen_with_state_and_time() -> None:
    """Times have their offset, and legs have their own file."""
    positions = [*POSITIONS, _single("=HYPERLINK(1)", "AAPL", 270)]
    payload = _payload(positions=positions, notes={"aapl": "-1 contract"})
    zone = ZoneInfo("America/New_York")
    rows = list(csv.DictReader(io.StringIO(positions_csv(payload, zone))))
    assert [row["id"] for row in rows][:4] == ["aapl", "put spread", "shares", "'=HYPERLINK(1)"]
    first = rows[0]
    assert (first["mark"], first["state"], first["fills"]) == ("23.37", "live", "'-1 contract")
    assert first["quote_time"] == "2026-11-20T11:59:58.123-05:00"
    assert rows[3]["quote_time"] == ""
    assert [row["spread_dollars"] for row in rows][:3] == ["", "0.1", ""]  # as below a structure's spread
    legs = list(csv.DictReader(io.StringIO(legs_csv(payload, zone))))
    assert [(row["position_id"], row["leg"], row["qty"]) for row in legs][:2] == [
        ("put spread", "short 260 put", "-2"),
        ("put spread", "long 255 put", "2"),
    ]
    for row in legs:
        contract = row["contract_symbol"]
        assert row["expiry"] == (
            f"20{contract[-15:-13]}-{contract[-13:-11]}-{contract[-11:-9]}" if contract else ""
        )
    assert any(row["expiry"] for row in legs)


def test_the_csv_has_notes_without_the_pages_pointer() -> None:
    """The CSV omits the sign that points to the page's detail, which would mean nothing in a file."""
    payload = _payload(
        notes={"aapl": "3 fills today\N{NO-BREAK SPACE}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"}
    )
    (row, *_) = csv.DictReader(io.StringIO(positions_csv(payload, dt.UTC)))
    assert row["fills"] == "3 fills today"


def clear_caches() -> None:
    """Let the schema read its list of columns again."""
    for cached in (columns.names_of, columns.shown_columns, columns.sources_of):
        cached.cache_clear()


def test_a_column_added_to_the_schema_is_in_the_tables_the_payload_the_csv_and_the_docs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new column needs one line in the schema and a formula."""
    added = Column(
        "age_weeks",
        Dtype.FLOAT,
        (Table.POSITIONS, Table.LEGS),
        "The quote's age in weeks",
        "weeks",
        field="weeks",
        label="Weeks",
        decimals=3,
    )
    monkeypatch.setattr(columns, "COLUMNS", (*columns.COLUMNS, added))
    original = positions.build_quote_columns

    def with_weeks(rows: Any, now: Any, live: Any) -> dict[str, Any]:
        return {**original(rows, now, live), "age_weeks": now.quote_ages / 604_800}

    for module in (positions, structures):
        monkeypatch.setattr(module, "build_quote_columns", with_weeks)
    clear_caches()
    try:
        payload = _payload()
        heading = build_layout(30.0)["columns"][-2]
        assert (heading["id"], heading["label"], heading["decimals"]) == ("weeks", "Weeks", 3)
        assert "weeks" in payload["fields"]
        for written in (positions_csv(payload, dt.UTC), legs_csv(payload, dt.UTC)):
            assert "weeks" in written.splitlines()[0].split(",")
        assert any("`age_weeks`" in line and "Weeks (`weeks`)" in line for line in columns.describe_columns())
    finally:
        clear_caches()


def test_a_small_price_is_written_in_full_in_the_payload_and_the_csv() -> None:
    """A price of 0.000008765 is never written as 0.00 or with an exponent."""
    shares = {"id": "s", "symbol": "AAPL", "shares": 1_000_000, "cost_basis": 0.000008765}
    payload = _payload(positions=[shares])
    costs = [row[payload["fields"].index("cost")] for row in payload["rows"]]
    assert costs == [0.000008765]
    (row,) = csv.DictReader(io.StringIO(positions_csv(payload, dt.UTC)))
    assert row["cost"] == "0.000008765"


def test_a_row_says_once_to_check_the_file_and_shows_each_doubt_as_a_sentence() -> None:
    """Two doubts share one label and keep their own sentences."""
    doubts = ("understood: $310.00 a share", "VIX is an index.")
    spoken, said = split_warnings(["doubtful_entry"], [{"state": "live", "doubts": doubts}])
    assert said == []
    (words,) = warning_words(spoken).values()
    assert words[0] == "check the file"
    assert words[1].endswith("Understood: $310.00 a share. VIX is an index.")
