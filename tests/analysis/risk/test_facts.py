"""Facts about early exercise, cover and the last day, each in its own words and only when it holds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from options_helper.analysis.osi import contract_symbol
from options_helper.analysis.risk import compute_live_risk
from options_helper.analysis.risk.facts import find_facts
from options_helper.market import Dividend, MarketPhase
from options_helper.models import Portfolio, StockLeg
from tests.builders import AT, DEC, leg, quote, single, snapshot, vertical

SHORT = single(symbol="XYZ", strike=90.0, contracts=-1, expiry=DEC)
SYMBOL = contract_symbol("XYZ", SHORT)


def facts(position, *, bid: float, ask: float, number: int = 0, spot: float = 100.0, at=AT, **changes):
    """Return the facts about one leg, with this bid and ask for each option and XYZ at `spot`."""
    options = getattr(position, "option_legs", [position])
    quotes = [quote(contract_symbol("XYZ", each), bid, ask, at=at) for each in options]
    stock = {"XYZ": quote("XYZ", spot - 0.005, spot + 0.005, at=at)}
    live = snapshot(*quotes, as_of=at, stock_quotes=stock, **changes)
    return list(find_facts(compute_live_risk(Portfolio(positions=[position]), live), number))


def dividend(day: dt.date, amount: str = "0.50") -> list[Dividend]:
    """Return one dividend of XYZ."""
    return [Dividend(symbol="XYZ", amount=Decimal(amount), ex_date=day)]


def test_a_short_call_the_day_before_its_ex_date() -> None:
    """The fact names a short call in the money whose extrinsic value is below the dividend."""
    tomorrow = AT.date() + dt.timedelta(days=1)
    held = f"{SYMBOL} is short and in the money, with $0.20 of extrinsic value"
    expected = f"{held}, less than the dividend of $0.50; ex-date 24 Nov 2026."
    assert facts(SHORT, bid=10.18, ask=10.22, dividends=dividend(tomorrow)) == [expected]
    for other in (
        facts(SHORT, bid=10.18, ask=10.22, dividends=dividend(AT.date())),
        facts(SHORT, bid=10.18, ask=10.22, dividends=dividend(dt.date(2026, 12, 19))),
        facts(SHORT, bid=10.58, ask=10.62, dividends=dividend(tomorrow)),
        facts(SHORT, bid=0.28, ask=0.32, spot=85.0, dividends=dividend(tomorrow)),
        facts(SHORT.model_copy(update={"contracts": 1}), bid=10.18, ask=10.22, dividends=dividend(tomorrow)),
        facts(SHORT, bid=10.18, ask=10.22),
    ):
        assert other == []


def test_a_short_option_with_almost_no_extrinsic_value() -> None:
    """The fact names a short option with less than $0.05 of extrinsic value, in or out of the money."""
    assert facts(SHORT, bid=10.02, ask=10.06) == [
        f"{SYMBOL} is short and in the money, with $0.04 of extrinsic value."
    ]
    assert facts(SHORT, bid=0.02, ask=0.04, spot=60.0) == [
        f"{SYMBOL} is short and out of the money, with $0.03 of extrinsic value."
    ]
    assert facts(SHORT, bid=10.04, ask=10.08) == []


def test_shares_that_cover_a_call() -> None:
    """The fact counts the shares in the same position that a short call would deliver."""
    covered = vertical(symbol="XYZ", legs=[StockLeg(side="long", shares=60), leg("short", "call", 105)])
    words = facts(covered, bid=2.0, ask=2.1, number=1)
    assert words == ["60 of 100 shares that XYZ261218C00105000 would deliver are held in the same position."]
    assert facts(covered, bid=2.0, ask=2.1, number=0) == []


def test_the_last_day_has_alpacas_deadline() -> None:
    """On the last day, the fact names the deadline of 15:15 New York; at 15:59 it has passed."""
    long = single(symbol="XYZ", strike=90.0)
    noon = dt.datetime(2026, 12, 18, 17, 0, tzinfo=dt.UTC)
    late = dt.datetime(2026, 12, 18, 20, 59, tzinfo=dt.UTC)
    words = "Last day: Alpaca may close the position from about 15:15 New York time"
    assert facts(long, bid=10.2, ask=10.3, at=noon) == [f"{words}."]
    assert facts(long, bid=10.2, ask=10.3, at=late) == [f"{words}, which has passed."]
    assert facts(long, bid=10.2, ask=10.3, at=late + dt.timedelta(minutes=2)) == []
    assert facts(long, bid=10.2, ask=10.3) == []


def test_only_contracts_that_trade_on_their_last_afternoon_have_the_deadline() -> None:
    """A weekly SPXW has the deadline on its last day; an SPX, settled in the morning, does not."""
    friday, thursday = (
        dt.datetime(2026, 12, 18, 13, 0, tzinfo=dt.UTC),
        dt.datetime(2026, 12, 17, 20, 30, tzinfo=dt.UTC),
    )
    for root, at, count in (
        ("SPX", friday, 0),
        ("SPX", thursday, 0),
        ("SPXW", friday, 1),
        ("SPXW", thursday, 0),
    ):
        held = single(symbol="SPX", root=root, strike=6_700.0)
        risk = compute_live_risk(Portfolio(positions=[held]), snapshot(as_of=at))
        found = list(find_facts(risk, 0))
        assert len(found) == count, (root, at)
        assert all("15:15 New York" in fact for fact in found)


def test_the_deliverable_of_an_adjusted_call_is_not_counted() -> None:
    """An adjusted call has no facts about its extrinsic value or about shares that cover it."""
    short = leg("short", "call", 105).model_copy(update={"root": "XYZ1"})
    covered = vertical(symbol="XYZ", legs=[StockLeg(side="long", shares=100), short])
    assert facts(covered, bid=2.0, ask=2.1, number=1) == []


def test_a_crossed_quote_has_no_facts_about_its_extrinsic_value() -> None:
    """Without a mark, there is no comparison with the dividend."""
    tomorrow = AT.date() + dt.timedelta(days=1)
    assert facts(SHORT, bid=10.22, ask=10.18, dividends=dividend(tomorrow)) == []


def test_a_share_covers_one_call_only() -> None:
    """Of two calls, the first takes its shares, and the second takes the remaining ones."""
    legs = [StockLeg(side="long", shares=150), leg("short", "call", 105), leg("short", "call", 110)]
    covered = vertical(symbol="XYZ", legs=legs)
    for number, words in ((1, "100 of 100 shares"), (2, "50 of 100 shares")):
        [fact] = facts(covered, bid=2.0, ask=2.1, number=number)
        assert fact.startswith(words)


def test_an_early_close_has_no_deadline_after_it() -> None:
    """On a half day, the contract ends before 15:15, so it has no deadline."""
    half = dt.datetime(2026, 11, 27, 16, 0, tzinfo=dt.UTC)
    close = half + dt.timedelta(hours=2)
    long = single(symbol="XYZ", strike=90.0, expiry=half.date())
    session = {"session_close": close, "trading_date": half.date(), "market_phase": MarketPhase.OPEN}
    assert facts(long, bid=10.2, ask=10.3, at=half, **session) == []
