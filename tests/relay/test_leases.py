"""The readers' leases and their symbols."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.market import StreamHealth, StreamName, StreamState
from options_helper.relay import leases as leases_module
from options_helper.relay.leases import MOST_READERS, AskRefused, Leases, answer_for, refuse
from options_helper.relay.wire import LEASE_SECONDS, Ask, Grant

NOON = dt.datetime(2026, 12, 1, 17, tzinfo=dt.UTC)
ALONE = LiveStreamConfig()
A1, A2, A3 = (f"AAPL261218C0025{number}000" for number in range(3))
B1 = "MSFT261218C00500000"


def test_the_union_streams_within_the_limit_and_the_rest_is_polled() -> None:
    """The first reader's contracts come first, each once, and a reader's polled ones come last."""
    leases = Leases()
    leases.take(Ask("a", ["AAPL"], [A1, A2], [A3]), 0.0)
    leases.take(Ask("b", ["MSFT", "AAPL"], [A2, B1]), 0.0)
    plan = leases.plan(ALONE, 3)
    assert plan.stocks == ("AAPL", "MSFT")
    assert plan.option_contracts == (A1, A2, B1)
    assert plan.polled_contracts == (A3,)


def test_a_lease_that_is_not_renewed_frees_its_symbols() -> None:
    """A dead reader's symbols are freed after the lease, and an active one's are kept."""
    leases = Leases()
    assert leases.take(Ask("dead", ["AAPL"], [A1]), 0.0)
    assert leases.take(Ask("alive", ["MSFT"], [B1]), 0.0)
    assert not leases.take(Ask("alive", ["MSFT"], [B1]), LEASE_SECONDS - 1)
    assert not leases.expire(LEASE_SECONDS - 0.1)
    assert leases.expire(LEASE_SECONDS)
    plan = leases.plan(ALONE, 100)
    assert (plan.stocks, plan.option_contracts) == (("MSFT",), (B1,))


def test_a_reader_that_leaves_gives_its_symbols_back() -> None:
    """A leaving reader's symbols are free at once, except that a stream's last ones stay subscribed."""
    leases = Leases()
    leases.take(Ask("a", ["AAPL"], [A1]), 0.0)
    leases.take(Ask("b", ["MSFT"], []), 0.0)
    before = leases.plan(ALONE, 100)
    assert leases.take(Ask("a", ends=True), 1.0)
    after = leases.plan(before, 100)
    assert (after.stocks, after.option_contracts) == (("MSFT",), (A1,))


def test_one_reader_cannot_make_alpaca_refuse_all() -> None:
    """Symbols in an invalid format are refused by the relay and not added to the union."""
    ask = Ask("a", ["AAPL", "BRK.B", "aapl", "A B", "*"], [A1, "nonsense", "*"])
    leases = Leases()
    leases.take(ask, 0.0)
    plan = leases.plan(ALONE, 100)
    assert (plan.stocks, plan.option_contracts) == (("AAPL", "BRK.B"), (A1,))
    refused = refuse(Grant(streaming=["AAPL"]), ["aapl"])
    assert refused == Grant(streaming=["AAPL"], refused=["aapl"], invalid=["aapl"])


def test_readers_are_limited() -> None:
    """Memory stays bounded, and each further reader gets the reason for its refusal."""
    leases = Leases()
    for number in range(MOST_READERS):
        leases.take(Ask(str(number)), 0.0)
    with pytest.raises(AskRefused, match="at most 200 readers at once; end some of them"):
        leases.take(Ask("one more"), 0.0)
    assert leases.readers == MOST_READERS
    assert not leases.take(Ask("0"), 1.0)


def _stocks(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(count)]


def test_one_reader_cannot_use_up_what_all_share() -> None:
    """A reader that asks for too much is refused as a whole, and the others keep their symbols."""
    leases = Leases()
    leases.take(Ask("a", _stocks("A", 500)), 0.0)
    with pytest.raises(AskRefused, match=r"one reader asks for 5,000 stocks \(the relay serves 500\)"):
        leases.take(Ask("greedy", _stocks("B", 5000)), 0.0)
    with pytest.raises(AskRefused, match=r"asks for 1 stock \(.*\) and 2,001 contracts \(.*; ask for fewer"):
        leases.take(Ask("greedy", ["AAPL"], [A1] * 2001), 0.0)
    leases.take(Ask("b", _stocks("B", 400)), 0.0)
    with pytest.raises(AskRefused, match=r"all readers ask for 1,100 stocks \(the relay serves 1,000\)"):
        leases.take(Ask("c", _stocks("C", 200)), 0.0)
    leases.take(Ask("c", _stocks("A", 500)), 0.0)
    assert len(leases.plan(ALONE, 100).stocks) == 900


def test_what_a_reader_no_longer_wants_counts_no_more() -> None:
    """A reader that changes its symbols keeps its place, and symbols that nobody wants any more make room."""
    leases = Leases()
    leases.take(Ask("a", _stocks("A", 500)), 0.0)
    leases.take(Ask("b", _stocks("B", 500)), 0.0)
    with pytest.raises(AskRefused, match="all readers ask for 1,001 stocks"):
        leases.take(Ask("c", ["C"]), 0.0)
    assert leases.take(Ask("a", ["B0", "A7"]), 0.0)
    assert leases.take(Ask("c", _stocks("A", 499)), 0.0)
    with pytest.raises(AskRefused, match="all readers ask for 1,001 stocks"):
        leases.take(Ask("a", ["B0", "Z1", "Z2"]), 0.0)
    assert leases.plan(ALONE, 100).stocks[:2] == ("B0", "A7")
    leases.take(Ask("b", ends=True), 0.0)
    leases.take(Ask("b", ends=True), 0.0)
    leases.expire(LEASE_SECONDS)
    assert leases.take(Ask("d", _stocks("D", 500)), LEASE_SECONDS)
    assert leases.take(Ask("e", _stocks("E", 500)), LEASE_SECONDS)


@pytest.mark.slow
def test_a_renewal_compares_no_other_readers_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred readers with all that they may ask for renew their leases in little time."""
    leases, asks = Leases(), [Ask(str(number), _stocks("A", 500)) for number in range(MOST_READERS)]

    def refuse_union(_asks: object) -> None:
        pytest.fail("a request must not cost time for every reader's symbols")

    monkeypatch.setattr(leases_module, "_union_of", refuse_union)
    for now in (0.0, 10.0):
        for ask in asks:
            assert leases.take(ask, now) == (now == 0.0)
    assert leases.readers == MOST_READERS


def test_a_symbol_streams_only_once_alpaca_has_acknowledged_it() -> None:
    """Until Alpaca answers, a symbol is pending; then it is refused unless it streams or is polled."""
    running = StreamHealth(
        StreamName.OPTIONS,
        StreamState.RUNNING,
        asked=frozenset({A1, A2, A3}),
        missing=frozenset({A2, A3}),
        connected_at=NOON,
    )
    polled = frozenset({A3})
    wanted = [A1, A2, A3]
    pending = answer_for(wanted, running, polled, is_answered=False)
    assert pending == Grant(streaming=[A1], pending=[A2], polled=[A3])
    answered = answer_for(wanted, running, polled, is_answered=True)
    assert answered == Grant(streaming=[A1], polled=[A3], refused=[A2])
    assert answer_for(wanted, None, frozenset(), is_answered=True).pending == wanted
