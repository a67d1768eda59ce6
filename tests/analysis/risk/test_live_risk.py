"""Risk of a portfolio in one snapshot: signs, sums with their coverage, and a reason for what is missing."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from options_helper.analysis.osi import contract_symbol
from options_helper.analysis.risk import compute_live_risk
from options_helper.analysis.risk.exposure import Measure, find_exposure
from options_helper.analysis.risk.pricing.model import Model, OptionInputs
from options_helper.analysis.risk.pricing.reasons import Reason
from options_helper.analysis.risk.words import coverage_words
from options_helper.analysis.tables.column_type import Dtype, Table
from options_helper.analysis.tables.columns import columns_of
from options_helper.market import (
    Betas,
    Dividend,
    MarketPhase,
    Quote,
    StreamHealth,
    StreamName,
    StreamState,
    Trade,
)
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Portfolio, StockLeg
from tests.builders import AT, DEC, leg, quote, single, snapshot, vertical

RATE, IV, SPOT = 0.04, 0.30, 100.0
NEW_YORK_CLOSE = dt.datetime(2026, 12, 18, 21, 0, tzinfo=dt.UTC)
YEARS = (NEW_YORK_CLOSE - AT).total_seconds() / (365 * 86_400)


def held(**changes):
    """Return a position in one 100 call on XYZ, with these changes."""
    return single(**{"symbol": "XYZ", "strike": 100.0, "contracts": 1, "cost_basis": 3.0, **changes})


def price(terms, *, spot=SPOT, years=YEARS, european=False, iv=IV) -> float:
    """Return the model's price of a position's or leg's contract."""
    option = OptionInputs(terms.option_type == "put", terms.strike, spot, years, RATE, 0.0, european)
    return Model().price(option, iv)


def fair(symbol, terms, *, width=0.02, **how) -> Quote:
    """Return a quote around the model's price."""
    middle = price(terms, **how)
    return quote(contract_symbol(symbol, terms), middle - width / 2, middle + width / 2)


def stock(symbol="XYZ", spot=SPOT, ago=1.0) -> dict[str, Quote]:
    """Return the quote of a stock as a snapshot's mapping."""
    return {symbol: quote(symbol, spot - 0.005, spot + 0.005, ago)}


def risk_of(*positions, quotes=(), at=AT, **changes):
    """Return the risk of positions with these option quotes and XYZ at 100."""
    live = snapshot(*quotes, **{"stock_quotes": stock(), "as_of": at, **changes})
    return compute_live_risk(Portfolio(positions=list(positions)), live, risk_free_rate=RATE)


def only(risk) -> pd.Series:
    """Return the only leg."""
    assert len(risk.legs) == 1
    return risk.legs.iloc[0]


SIGNS = {
    "long call": "+ + - + +",
    "short call": "- - + - -",
    "long put": "- + - + -",
    "short put": "+ - + - +",
    "long shares": "+ 0 0 0 0",
    "short shares": "- 0 0 0 0",
    "bull call spread": "+ - + - +",
    "long straddle": "+ + - + +",
    "covered call": "+ - + - -",
    "protective put": "+ + - + -",
    "short strangle": "- - + - -",
}


def _structure(*legs, **changes) -> MultiLegPosition:
    return vertical(symbol="XYZ", legs=list(legs), **changes)


def _position(kind: str):
    shares = EquityPosition(id="s", symbol="XYZ", shares=100, cost_basis=90)
    long_shares = StockLeg(side="long", shares=100)
    return {
        "long call": held(),
        "short call": held(contracts=-1),
        "long put": held(option_type="put"),
        "short put": held(option_type="put", contracts=-1),
        "long shares": shares,
        "short shares": shares.model_copy(update={"shares": -100.0}),
        "bull call spread": _structure(leg("long", "call", 95), leg("short", "call", 101)),
        "long straddle": _structure(leg("long", "call", 100), leg("long", "put", 100)),
        "covered call": _structure(long_shares, leg("short", "call", 105)),
        "protective put": _structure(long_shares, leg("long", "put", 95)),
        "short strangle": _structure(leg("short", "call", 104), leg("short", "put", 92)),
    }[kind]


@pytest.mark.parametrize("kind", SIGNS)
def test_every_kind_of_position_has_its_signs(kind: str) -> None:
    """Delta, gamma, theta, vega and rho have the signs of the table for every kind of position."""
    position = _position(kind)
    options = getattr(position, "option_legs", [position] if hasattr(position, "strike") else [])
    total = risk_of(position, quotes=[fair("XYZ", each) for each in options]).total
    values = [total[name] for name in ("delta", "gamma", "theta", "vega", "rho")]
    assert " ".join("+" if value > 0 else "-" if value < 0 else "0" for value in values) == SIGNS[kind]


def test_the_figures_are_those_of_the_model_for_the_whole_quantity() -> None:
    """Two short calls have twice the contract's Greeks with the opposite sign."""
    call = held(contracts=-2)
    row = only(risk_of(call, quotes=[fair("XYZ", call)]))
    greeks = Model().greeks(OptionInputs(False, 100.0, SPOT, YEARS, RATE, 0.0, False), IV)
    assert row["iv"] == pytest.approx(IV, abs=1e-4)
    for name in ("delta", "gamma", "theta", "vega", "rho"):
        assert row[name] == pytest.approx(-200 * getattr(greeks, name), rel=1e-3), name
    assert row["bid_iv"] < row["iv"] < row["ask_iv"]
    assert row["dollar_delta"] == pytest.approx(row["delta"] * 100)
    assert row["dollar_gamma"] == pytest.approx(row["gamma"] * 100)
    assert row["extrinsic"] == pytest.approx(price(call), abs=0.011)
    assert pd.isna(row["reason"])


def test_one_day_and_one_dollar_change_the_value_as_the_greeks_say() -> None:
    """Delta, theta, vega and rho are the differences of the model's price in their units."""
    put = held(option_type="put")
    row = only(risk_of(put, quotes=[fair("XYZ", put)]))
    base = 100 * price(put)
    assert row["delta"] == pytest.approx(100 * (price(put, spot=100.5) - price(put, spot=99.5)), rel=0.01)
    assert row["theta"] == pytest.approx(100 * price(put, years=YEARS - 1 / 365) - base, rel=0.02)
    assert row["vega"] == pytest.approx(100 * price(put, iv=IV + 0.01) - base, rel=0.01)


def test_sums_equal_their_parts() -> None:
    """Positions, underlyings, expiries and the total are the sums of the legs, and all legs are counted."""
    spread = _structure(leg("long", "call", 95), leg("short", "call", 101))
    later = held(id="later", expiry=dt.date(2027, 1, 15), option_type="put", contracts=-3)
    shares = EquityPosition(id="s", symbol="XYZ", shares=40, cost_basis=90)
    other = held(id="other", symbol="ABC")
    quotes = [fair("XYZ", each) for each in (*spread.legs, later)] + [fair("ABC", other)]
    risk = risk_of(spread, later, shares, other, quotes=quotes, stock_quotes={**stock(), **stock("ABC")})
    assert list(risk.positions["id"]) == ["v", "later", "s", "other"]
    assert list(risk.legs["position_id"]) == ["v", "v", "later", "s", "other"]
    assert list(risk.legs["leg_index"]) == [0, 1, 0, 0, 0]
    assert list(risk.underlyings["symbol"]) == ["ABC", "XYZ"]
    assert list(risk.expiries["expiry"]) == [DEC, dt.date(2027, 1, 15), None]
    for name in ("delta", "gamma", "theta", "vega", "rho", "dollar_delta", "dollar_gamma"):
        whole = risk.legs[name].sum()
        for table in (risk.positions, risk.underlyings, risk.expiries):
            assert table[name].sum() == pytest.approx(whole), name
            assert table["legs"].sum() == table["covered_legs"].sum() == 5
        assert risk.total[name] == pytest.approx(whole)
    assert (risk.total["covered_legs"], risk.total["legs"]) == (5, 5)


def test_tags_have_their_own_sums() -> None:
    """A position counts once in each of its tags, and in none without a tag."""
    tagged = [held(id="a", tag=["income", "tech"]), held(id="b", tag=["tech"]), held(id="c")]
    risk = risk_of(*tagged, quotes=[fair("XYZ", held())])
    assert list(risk.tags["tag"]) == ["income", "tech"]
    assert list(risk.tags["legs"]) == [1, 2]
    assert risk.tags["delta"].to_numpy() == pytest.approx(risk.legs["delta"][0] * np.array([1, 2]))
    assert len(risk_of(held()).tags) == 0


def test_an_exposure_is_the_sum_of_the_selection() -> None:
    """Every measure of a position, an underlying, a tag and the portfolio is a sum with its coverage."""
    tagged, other = held(id="a", tag=["income"], contracts=-2), held(id="b", strike=105.0)
    betas = Betas(benchmark="SPY", price=500.0, until=MONTHLY, values={"XYZ": 2.0}, returns=251)
    risk = risk_of(tagged, other, quotes=[fair("XYZ", tagged)], betas=betas)
    own = {"position_id": "a"}, {"underlying": "XYZ"}, {"tag": "income"}, {}
    for measure in Measure:
        found = [find_exposure(risk, measure, **choice) for choice in own]
        assert [each.value for each in found] == pytest.approx([risk.legs[measure][0]] * 4), measure
        assert [(each.covered_legs, each.legs) for each in found] == [(1, 1), (1, 2), (1, 1), (1, 2)]
        assert [each.is_whole for each in found] == [True, False, True, False]
    delta = find_exposure(risk, Measure.DELTA).value
    assert delta is not None
    assert find_exposure(risk, Measure.BETA_DELTA).value == pytest.approx(delta * 100 * 2.0 / 500)
    assert find_exposure(risk, Measure.DELTA, position_id="b") == (None, 0, 1)
    assert find_exposure(risk, Measure.DELTA, underlying="QQQ") == (None, 0, 0)
    assert not find_exposure(risk, Measure.DELTA, tag="gone").is_whole
    assert find_exposure(risk_of(tagged), Measure.BETA_DELTA).value is None
    with pytest.raises(ValueError, match="not several"):
        find_exposure(risk, Measure.DELTA, position_id="a", tag="income")


def test_no_total_is_without_its_coverage() -> None:
    """A leg without a quote is missing from the sums and from their coverage, never counted as zero."""
    spread = _structure(leg("long", "call", 95), leg("short", "call", 101))
    risk = risk_of(spread, held(), quotes=[fair("XYZ", spread.legs[0])])
    first, second = risk.positions.iloc[0], risk.positions.iloc[1]
    assert (first["covered_legs"], first["legs"], first["reason"]) == (1, 2, "no mark from bid and ask")
    assert first["delta"] == pytest.approx(risk.legs["delta"][0])
    assert (second["covered_legs"], second["legs"]) == (0, 1)
    assert math.isnan(second["delta"])
    assert (risk.total["covered_legs"], risk.total["legs"]) == (1, 3)


def test_a_sum_counts_its_stale_legs() -> None:
    """Equally old prices give the Greeks of their time, and every sum counts its stale legs."""
    now, old = held(id="now"), held(id="old", strike=105)
    middle = price(old)
    quotes = [fair("XYZ", now), quote(_symbol(old), middle - 0.01, middle + 0.01, ago=45.0)]
    risk = risk_of(now, old, quotes=quotes, stock_quotes=stock(ago=20.0))
    assert (risk.total["covered_legs"], risk.total["stale_legs"]) == (2, 1)
    assert list(risk.positions["stale_legs"]) == [0, 1]
    assert coverage_words(risk.total) == "2 of 2 legs, 1 stale"


def test_nothing_missing_is_without_a_reason() -> None:
    """Every missing figure has a reason, and a leg with all figures has none."""
    legs = risk_of(held(), held(id="b", contracts=-1, strike=105.0), quotes=[fair("XYZ", held())]).legs
    missing = legs[["iv", "delta", "gamma", "theta", "vega", "rho", "extrinsic"]].isna().any(axis=1)
    assert list(missing) == list(legs["reason"].notna()) == [False, True]


LATE_FRIDAY = dt.datetime(2026, 12, 18, 20, 59, tzinfo=dt.UTC)  # 15:59 in New York on the last day
MONTHLY = dt.date(2026, 12, 18)


def _reason(position, *quotes, **changes) -> str:
    return only(risk_of(position, quotes=quotes, **changes))["reason"]


def _symbol(position) -> str:
    return contract_symbol(position.symbol, position)


def test_every_reason_is_given() -> None:
    """A row that lacks a figure names the reason."""
    call, symbol = held(), _symbol(held())
    half = quote(symbol, 0.0, 0.10)
    adjusted = held(symbol="XYZ", root="XYZ1")
    gone = held(expiry=dt.date(2026, 11, 20))
    fresh = fair("XYZ", call)
    assert _reason(call) == "no mark from bid and ask"
    assert _reason(call, half) == "no mark from bid and ask"
    assert _reason(call, quote(symbol, 3.0, 2.0)) == "no mark from bid and ask"
    assert _reason(call, fresh, stock_quotes={}) == "no spot"
    assert _reason(gone, quote(_symbol(gone), 1.0, 1.1)) == "expired"
    assert _reason(adjusted, quote(_symbol(adjusted), 3.0, 3.1)) == "adjusted deliverable"
    assert _reason(call, quote(symbol, 2.0, 2.4), stock_quotes=stock(spot=103.0)) == "below intrinsic"
    assert _reason(call, quote(symbol, 2.0, 5.0)) == "spread too wide for an IV"
    assert _reason(call, quote(symbol, 104.0, 104.1)) == "above every model price"
    assert _reason(EquityPosition(id="s", symbol="XYZ", shares=1, cost_basis=1)) == Reason.SHARES
    assert all(reason.sentence.endswith(".") for reason in Reason)


def test_a_quote_from_another_time_than_the_spot_has_no_volatility() -> None:
    """A stale quote with a new spot gives no volatility, but a quote and a spot of the same age do."""
    call, closed = held(), {"market_phase": MarketPhase.CLOSED}
    middle = price(call)
    old = quote(_symbol(call), middle - 0.01, middle + 0.01, ago=600.0)
    assert _reason(call, old) == "quote and spot too far apart in time"
    assert pd.isna(_reason(call, old, stock_quotes=stock(ago=605.0)))
    assert pd.isna(_reason(call, old, **closed))
    older = quote(_symbol(call), middle - 0.01, middle + 0.01, ago=7_200.0)
    assert _reason(call, older, **closed) == "quote and spot too far apart in time"


def _polled_spot(answered: float, interval: float) -> dict[str, object]:
    """Return a snapshot's fields: REST polls XYZ and answered this long ago, with a quote 300 s older."""
    health = StreamHealth(
        stream=StreamName.STOCKS,
        state=StreamState.RUNNING,
        polled=frozenset({"XYZ"}),
        poll_seconds=interval,
        polled_at=AT - dt.timedelta(seconds=answered),
    )
    return {
        "health": {StreamName.STOCKS: health},
        "stock_quotes": stock(ago=answered + 300),
        "market_phase": MarketPhase.OPEN,
        "status_by_stream": {StreamName.STOCKS: StreamState.RUNNING},
    }


def test_a_stale_spot_gives_no_volatility_to_a_live_mark() -> None:
    """A spot from a poll a minute ago is too old for a live quote."""
    call = held()
    live = fair("XYZ", call)
    assert _reason(call, live, stock_quotes=stock(ago=300.0)) == Reason.APART
    assert pd.isna(_reason(call, live, **_polled_spot(12.0, 15.0)))
    assert _reason(call, live, **_polled_spot(55.0, 60.0)) == Reason.APART
    unknown = Quote("XYZ", SPOT - 0.005, SPOT + 0.005, 1, 1, None, None)
    assert _reason(call, live, stock_quotes={"XYZ": unknown}) == Reason.APART


def test_a_wide_quote_shows_a_range() -> None:
    """A quote too wide for one volatility shows the volatilities of its bid and ask."""
    row = only(risk_of(held(), quotes=[quote(_symbol(held()), 2.0, 5.0)]))
    assert math.isnan(row["iv"])
    assert 0.1 < row["bid_iv"] < row["ask_iv"] < 0.6
    assert row["extrinsic"] == pytest.approx(3.5)


def test_the_last_minute_of_the_last_day_is_priced_by_the_minute() -> None:
    """At 15:59 on its last day, a contract has one minute left, and its volatility is recovered."""
    call = held(symbol="XYZ")
    minute = 60 / (365 * 86_400)
    middle = price(call, years=minute, iv=2.0)
    stamp = LATE_FRIDAY - dt.timedelta(seconds=1)
    option = Quote(_symbol(call), middle - 0.001, middle + 0.001, 1, 1, stamp, stamp)
    share = Quote("XYZ", SPOT - 0.005, SPOT + 0.005, 1, 1, stamp, stamp)
    row = only(risk_of(call, quotes=[option], at=LATE_FRIDAY, stock_quotes={"XYZ": share}))
    assert row["years"] == pytest.approx(minute)
    assert row["iv"] == pytest.approx(2.0, rel=1e-3)
    assert row["delta"] == pytest.approx(50, abs=1)
    after = only(risk_of(call, quotes=[option], at=LATE_FRIDAY + dt.timedelta(minutes=1)))
    assert after["reason"] == "expired"


def test_an_early_close_ends_a_contract_early() -> None:
    """On a half day, the time to expiry ends with that day's session."""
    call = held()
    noon = dt.datetime(2026, 12, 18, 17, 0, tzinfo=dt.UTC)
    close = dt.datetime(2026, 12, 18, 18, 0, tzinfo=dt.UTC)
    row = only(risk_of(call, at=noon, session_close=close, trading_date=MONTHLY))
    assert row["years"] * 365 * 24 == pytest.approx(1.0)


def test_the_night_of_the_change_to_winter_time_has_its_extra_hour() -> None:
    """When the clocks go back, there are 49 hours from Saturday's close to Monday's."""
    call = held(expiry=dt.date(2026, 11, 2))
    saturday = dt.datetime(2026, 10, 31, 20, 0, tzinfo=dt.UTC)
    assert only(risk_of(call, at=saturday))["years"] * 365 * 24 == pytest.approx(49.0)


def _index(root: str, spot: float | None = 6_700.0, **changes):
    stamp = AT - dt.timedelta(seconds=2)
    call = held(symbol="SPX", root=root, strike=6_700.0, **changes)
    trades = {} if spot is None else {"SPX": Trade("SPX", spot, None, stamp, stamp, True)}
    return call, {"stock_quotes": {}, "stock_trades": trades}


def test_index_options_are_european_and_end_at_their_own_time() -> None:
    """A weekly SPXW ends with its last session, and an SPX of the same month at that morning's open."""
    found = {}
    for root, expiry in (("SPXW", dt.date(2026, 12, 11)), ("SPX", MONTHLY)):
        call, index = _index(root, expiry=expiry)
        found[root] = only(risk_of(call, quotes=[quote(_symbol(call), 95.0, 95.4)], **index))
        assert found[root]["european"]
        assert found[root]["spot_source"] == "index value"
        assert found[root]["delta"] > 0
    weekly = dt.datetime(2026, 12, 11, 21, 0, tzinfo=dt.UTC) - AT
    monthly = dt.datetime(2026, 12, 18, 14, 30, tzinfo=dt.UTC) - AT
    assert found["SPXW"]["years"] == pytest.approx(weekly.total_seconds() / (365 * 86_400))
    assert found["SPX"]["years"] == pytest.approx(monthly.total_seconds() / (365 * 86_400))
    assert not only(risk_of(held(symbol="OEX")))["european"]


def test_an_index_without_a_value_is_priced_from_parity() -> None:
    """A call and a put with the same strike give the forward; without such a pair there is no spot."""
    call, index = _index("SPXW", spot=None)
    put = call.model_copy(update={"id": "p", "option_type": "put"})
    quotes = [fair("SPX", each, spot=6_710.0, european=True, width=0.2) for each in (call, put)]
    risk = risk_of(call, put, quotes=quotes, **index)
    assert list(risk.legs["spot_source"]) == ["put-call parity"] * 2
    assert risk.legs["spot"].to_numpy() == pytest.approx([6_710.0] * 2, abs=0.01)
    assert risk.legs["iv"].to_numpy() == pytest.approx([IV] * 2, abs=1e-3)
    assert _reason(call, quotes[0], **index) == "no spot"


def test_parity_gives_an_index_its_dividend_yield() -> None:
    """With a pair of quotes, the spot is the index's value, and the yield gives the pair's forward."""
    call, index = _index("SPXW")
    put = call.model_copy(update={"id": "p", "option_type": "put"})
    paid = OptionInputs(False, 6_700.0, 6_700.0, YEARS, RATE, 0.015, european=True)
    quotes = []
    for each, is_put in ((call, False), (put, True)):
        middle = Model().price(paid._replace(is_put=is_put), IV)
        quotes.append(quote(_symbol(each), middle - 0.1, middle + 0.1))
    legs = risk_of(call, put, quotes=quotes, **index).legs
    assert list(legs["spot_source"]) == ["index value, yield by put-call parity"] * 2
    assert list(legs["spot"]) == [6_700.0] * 2
    assert legs["iv"].to_numpy() == pytest.approx([IV] * 2, abs=1e-4)
    assert legs["delta"][0] == pytest.approx(100 * Model().greeks(paid, IV).delta, rel=1e-3)
    alone = risk_of(call, quotes=quotes, **index).legs
    assert list(alone["spot_source"]) == ["index value"]
    assert alone["iv"][0] < IV - 0.002  # without its yield the forward is too high


def test_parity_stands_in_for_an_old_index_value() -> None:
    """If pairs are live, an index value from ten minutes ago is replaced by the pairs' forward."""
    call, _ = _index("SPXW")
    put = call.model_copy(update={"id": "p", "option_type": "put"})
    quotes = [fair("SPX", each, spot=6_710.0, european=True, width=0.2) for each in (call, put)]
    stamp = AT - dt.timedelta(seconds=600)
    old = {"SPX": Trade("SPX", 6_650.0, None, stamp, stamp, True)}
    legs = risk_of(call, put, quotes=quotes, stock_quotes={}, stock_trades=old).legs
    assert list(legs["spot_source"]) == ["put-call parity"] * 2
    assert legs["iv"].to_numpy() == pytest.approx([IV] * 2, abs=1e-3)
    assert _reason(call, quotes[0], stock_quotes={}, stock_trades=old) == Reason.APART


def test_american_index_options_have_no_parity() -> None:
    """American puts and calls do not give the forward, so OEX has no spot without a value."""
    call = held(symbol="OEX", strike=3_300.0)
    put = call.model_copy(update={"id": "p", "option_type": "put"})
    quotes = [quote(_symbol(each), 50.0, 50.2) for each in (call, put)]
    risk = risk_of(call, put, quotes=quotes, stock_quotes={})
    assert list(risk.legs["reason"]) == ["no spot"] * 2


def test_volatilities_from_neighbours_are_marked_and_optional() -> None:
    """A strike without an honest mark gets a volatility from its neighbours only if requested."""
    strikes = (90.0, 95.0, 100.0, 105.0, 110.0)
    calls = [held(id=f"{strike:g}", strike=strike) for strike in strikes]
    ivs = {95.0: 0.34, 105.0: 0.30}
    quotes = [fair("XYZ", each, iv=ivs[each.strike]) for each in calls if each.strike in ivs]
    live = snapshot(*quotes, quote(_symbol(calls[2]), 0.0, 0.05), stock_quotes=stock())
    portfolio = Portfolio(positions=calls)
    off = compute_live_risk(portfolio, live, risk_free_rate=RATE)
    assert list(off.legs["iv"].notna()) == [False, True, False, True, False]
    on = compute_live_risk(portfolio, live, risk_free_rate=RATE, iv_from_neighbours=True)
    assert list(on.legs["modelled"]) == [False, False, True, False, False]
    assert on.legs["iv"][2] == pytest.approx(0.32, abs=2e-3)
    assert on.legs["reason"][2] == "no mark from bid and ask"
    assert on.legs["delta"][2] == pytest.approx(
        100 * Model().greeks(OptionInputs(False, 100.0, SPOT, YEARS, RATE, 0.0, european=False), 0.32).delta,
        rel=1e-2,
    )
    assert (on.total["covered_legs"], on.total["modelled_legs"], on.total["legs"]) == (3, 1, 5)
    put = calls[1].model_copy(update={"id": "put", "option_type": "put"})
    same = compute_live_risk(Portfolio(positions=[calls[1], put]), live, iv_from_neighbours=True)
    assert same.legs["iv"][1] == same.legs["iv"][0]
    no_spot = snapshot(*quotes, stock_quotes={})
    assert compute_live_risk(portfolio, no_spot, iv_from_neighbours=True).total["covered_legs"] == 0


def test_volatility_index_options_follow_the_future() -> None:
    """The value of VIX is not the spot of its options, which follow a future."""
    stamp = AT - dt.timedelta(seconds=2)
    call = held(symbol="VIX", strike=20.0, expiry=dt.date(2026, 12, 16))
    index = {"stock_quotes": {}, "stock_trades": {"VIX": Trade("VIX", 18.0, None, stamp, stamp, True)}}
    assert _reason(call, quote(_symbol(call), 1.0, 1.1), **index) == "no spot"


def test_parity_needs_two_quotes_from_the_same_time() -> None:
    """A put quoted three hours ago gives no forward for a live call."""
    call = held(symbol="VIX", strike=20.0, expiry=dt.date(2026, 12, 16))
    put = call.model_copy(update={"id": "p", "option_type": "put"})
    for ago, source in ((1.0, "put-call parity"), (3 * 3_600.0, None)):
        quotes = [quote(_symbol(call), 4.99, 5.01), quote(_symbol(put), 2.99, 3.01, ago)]
        risk = risk_of(call, put, quotes=quotes, stock_quotes={})
        assert [each or None for each in risk.inputs.sources] == [source] * 2


def test_a_quote_from_another_time_than_the_spot_has_no_extrinsic_value() -> None:
    """The mark is two hours old, so its extrinsic value over today's spot is unknown."""
    call = held(strike=90.0)
    old = only(risk_of(call, quotes=[quote(_symbol(call), 11.95, 12.05, 7_200.0)]))
    assert (math.isnan(old["extrinsic"]), old["moneyness"]) == (True, 0.1)


def test_dividends_of_an_index_are_unknown() -> None:
    """Nobody declares an index's dividends, so even a complete list of declared ones leaves them unknown."""
    call, index = _index("SPXW", spot=6_710.0)
    row = only(risk_of(call, quotes=[fair("SPX", call, spot=6_710.0)], dividends=(), **index))
    assert (math.isnan(row["dividends"]), math.isnan(row["iv"])) == (True, False)


def test_declared_dividends_lower_the_forward() -> None:
    """A dividend counts if its ex-date is after today and up to expiry."""
    call = held()
    days = {"2026-11-23": False, "2026-11-24": True, "2026-12-18": True, "2026-12-19": False}
    plain = only(risk_of(call, quotes=[fair("XYZ", call)]))
    for day, counts in days.items():
        paid = Dividend(symbol="XYZ", amount=Decimal("0.80"), ex_date=dt.date.fromisoformat(day))
        row = only(risk_of(call, quotes=[fair("XYZ", call)], dividends=(paid,)))
        assert row["dividends"] == (0.80 if counts else 0.0)
        assert bool(row["iv"] > plain["iv"] + 0.01) is counts


def test_unknown_dividends_are_not_zero() -> None:
    """Until REST has reported on dividends, the column is empty; a report that lists none makes it zero."""
    call = held()
    unknown = only(risk_of(call, quotes=[fair("XYZ", call)]))
    none = only(risk_of(call, quotes=[fair("XYZ", call)], dividends=()))
    assert np.isnan(unknown["dividends"])
    assert (none["dividends"], none["iv"]) == (0.0, unknown["iv"])


def test_the_forward_with_dividends_is_the_declared_one() -> None:
    """With a dividend, an option has the volatility of one on the spot minus the dividend's present value."""
    call, _ = _index("XSP", spot=None)
    paid = Dividend(symbol="XYZ", amount=Decimal("2.00"), ex_date=dt.date(2026, 12, 4))
    put = held(option_type="put", strike=100.0)
    present = 2 * math.exp(-RATE * 11 / 365)
    row = only(risk_of(put, quotes=[fair("XYZ", put, spot=SPOT - present)], dividends=[paid]))
    assert call.symbol == "SPX"
    assert row["iv"] == pytest.approx(IV, abs=0.012)


def test_the_threshold_and_the_rate_must_make_sense() -> None:
    """A negative or missing rate and a threshold of zero are refused."""
    portfolio, live = Portfolio(positions=[held()]), snapshot()
    for rate in (-0.01, math.nan, 1.5):
        with pytest.raises(ValueError, match="risk-free rate"):
            compute_live_risk(portfolio, live, risk_free_rate=rate)
    with pytest.raises(ValueError, match="stale_after_seconds"):
        compute_live_risk(portfolio, live, stale_after_seconds=0.0)


def test_an_empty_portfolio_has_no_risk() -> None:
    """Without positions, there are no rows, and the total is empty."""
    risk = risk_of()
    assert (len(risk.legs), len(risk.positions), risk.total["legs"]) == (0, 0, 0)
    assert math.isnan(risk.total["delta"])


def test_the_tables_match_the_list_of_columns() -> None:
    """The tables have the names and types of the list of columns, and writing to them raises."""
    risk = risk_of(held(), quotes=[fair("XYZ", held())])
    tables = {
        Table.RISK_LEGS: risk.legs,
        Table.RISK_POSITIONS: risk.positions,
        Table.RISK_UNDERLYINGS: risk.underlyings,
        Table.RISK_EXPIRIES: risk.expiries,
        Table.RISK_TAGS: risk.tags,
    }
    for table, frame in tables.items():
        assert list(frame.columns) == [column.name for column in columns_of(table)]
        for column in columns_of(table):
            expected = {Dtype.TEXT: "str"}.get(column.dtype, str(column.dtype))
            assert str(frame[column.name].dtype) == expected, (table, column.name)
    with pytest.raises((ValueError, TypeError)):
        risk.legs["delta"].to_numpy()[0] = np.float64(0)


def test_legs_with_a_structure_of_two_expiries_have_their_own_times() -> None:
    """Each leg of a calendar ends at its own expiry."""
    legs = [
        Leg(side=side, option_type="call", expiry=expiry, strike=100, contracts=1)
        for side, expiry in (("short", DEC), ("long", dt.date(2027, 1, 15)))
    ]
    years = risk_of(_structure(*legs)).legs["years"].tolist()
    assert (years[1] - years[0]) * 365 == pytest.approx(28)
