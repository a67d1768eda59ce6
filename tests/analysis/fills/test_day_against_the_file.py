"""The completeness of a day's fills, and the positions that they concern."""

from __future__ import annotations

from options_helper.analysis.fills.by_position import fills_for_portfolio
from options_helper.analysis.fills.day import FillDayBuilder
from options_helper.analysis.fills.words import completeness_words, fill_fact_words
from options_helper.market import FillGap
from options_helper.models import Portfolio
from tests.analysis.fills.rows import DAY, HIGHER, NEW_YORK, OPEN, at, filled, live


def test_completeness_is_stated_with_its_start() -> None:
    """Without gaps, fills are complete since the given time, or since midnight in New York."""
    fill_day = FillDayBuilder().build([filled(1, 5, 5, 1.6)], since=OPEN)
    assert fill_day.completeness.complete
    assert completeness_words(fill_day.completeness, NEW_YORK) == "complete since 09:30"
    assert (
        completeness_words(FillDayBuilder().build([], day=DAY).completeness, NEW_YORK)
        == "complete since 00:00"
    )


def test_gaps_are_stated_with_their_times() -> None:
    """A gap is named from start to end; touching gaps are joined, and the reason is kept."""
    gap = FillGap(at(71 + 7 / 60), at(71 + 52 / 60), "waiting for REST")
    fill_day = FillDayBuilder().build([], gaps=[gap], day=DAY)
    found = fill_day.completeness
    assert not found.complete
    assert completeness_words(found, NEW_YORK) == "fills between 10:41:07 and 10:41:52 not confirmed"
    assert found.reason == "waiting for REST"
    still_open = FillGap(at(71.5), None, "refused")
    found = FillDayBuilder().build([], gaps=[still_open, gap], day=DAY).completeness
    assert completeness_words(found, NEW_YORK) == "fills since 10:41:07 not confirmed"
    early = FillGap(fill_day.day_start, at(1))
    found = FillDayBuilder().build([], gaps=[gap, early], day=DAY).completeness
    assert completeness_words(found, NEW_YORK) == (
        "fills before 09:31:00 and between 10:41:07 and 10:41:52 not confirmed"
    )


def test_a_hole_casts_doubt_even_without_a_gap() -> None:
    """A quantity known only from totals keeps the day from being called complete."""
    found = FillDayBuilder().build([filled(3, 5, 2, 1.7)]).completeness
    assert not found.complete
    assert completeness_words(found, NEW_YORK) == "3 in 1 fill not confirmed"
    assert found.reason == ""


def portfolio() -> Portfolio:
    """A long call, a vertical with the same call, a covered call and shares of BRK.B."""
    terms = {"option_type": "call", "expiry": "2026-12-18"}
    return Portfolio.model_validate(
        {
            "positions": [
                {"id": "call", "symbol": "AAPL", "strike": 250, "contracts": 5, "cost_basis": 1.6, **terms},
                {
                    "id": "covered",
                    "symbol": "SPY",
                    "legs": [
                        {"side": "long", "shares": 100},
                        {"side": "short", "strike": 700, "contracts": 1, **terms},
                    ],
                },
                {"id": "shares", "symbol": "BRK-B", "shares": 10, "cost_basis": 400.0},
            ]
        }
    )


def test_fills_are_noted_on_the_positions_they_touch() -> None:
    """A position's facts say whether a fill preceded the saving; fills in other contracts are listed."""
    rows = [
        filled(1, 2, 2, 1.6),
        filled(2, 5, 3, 1.62),
        filled(72, 2, 2, 1.9, order_id="o2", side="sell", position_intent="sell_to_close", qty=2.0),
        filled(73, 1, 1, 480.0, order_id="o3", symbol="BRK.B", qty=1.0),
        filled(74, 40, 40, 650.0, order_id="o4", symbol="SPY", side="sell", qty=40.0),
        filled(75, 1, 1, 1.0, order_id="o5", symbol=HIGHER, qty=1.0),
        filled(20, 1, 1, 2.0, order_id="o6", symbol="SPY261218C00700000", qty=1.0),
    ]
    found = fills_for_portfolio(FillDayBuilder().build(rows), portfolio(), saved_at=at(60))
    sentences = {
        name: [fill_fact_words(fact, NEW_YORK) for fact in facts] for name, facts in found.by_position.items()
    }
    assert sentences == {
        "call": [
            "2 contracts sold 10:42, after the file was saved",
            "5 contracts bought 09:32, before the file was saved",
        ],
        "covered": [
            "40 shares sold 10:44, after the file was saved",
            "1 contract of SPY 18 Dec 2026 700 call bought 09:50, before the file was saved",
        ],
        "shares": ["1 share bought 10:43, after the file was saved"],
    }
    assert [one.symbol for one in found.not_in_file] == [HIGHER]


def test_a_contract_that_no_symbol_can_express_is_skipped() -> None:
    """A position with a contract that has no symbol has no facts, and does not affect the others."""
    file = Portfolio.model_validate(
        {
            "positions": [
                {
                    "id": "odd",
                    "symbol": "TOOLONGAROOT",
                    "option_type": "call",
                    "expiry": "2026-12-18",
                    "strike": 1,
                    "contracts": 1,
                    "cost_basis": 1,
                }
            ]
        }
    )
    found = fills_for_portfolio(FillDayBuilder().build([filled(1, 2, 2, 1.6)]), file)
    assert (found.by_position, len(found.not_in_file)) == ({}, 1)


def test_busted_fills_leave_no_note() -> None:
    """Busted fills do not count as facts; if the time of saving is unknown, the facts do not mention it."""
    bust = live("trade_bust", 3, previous_execution_id="x1", fill_qty=2.0, fill_price=1.6, filled_qty=3.0)
    found = fills_for_portfolio(
        FillDayBuilder().build([filled(1, 2, 2, 1.6), filled(2, 5, 3, 1.62), bust]), portfolio()
    )
    assert [fill_fact_words(fact, NEW_YORK) for fact in found.by_position["call"]] == [
        "3 contracts bought 09:32"
    ]
