"""`options-helper portfolio` over REST against the simulated account."""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from contextlib import closing

from typer.testing import CliRunner

from options_helper import cli
from options_helper.analysis.account.compare import Agreement, BrokerSide, compare_account
from options_helper.analysis.account.file_parts import parts_of
from options_helper.analysis.account.records import AccountHistory, Holding
from options_helper.data.account.history import read_holdings
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.settings import KEY_NAMES, load_settings
from options_helper.data.streaming.backfill.rest_rows import read_positions
from options_helper.errors import PortfolioError
from options_helper.files.account_portfolio import read_existing, write_account_portfolio
from options_helper.market import LiveSnapshot
from options_helper.models import EquityPosition, MultiLegPosition, Portfolio
from options_helper.portfolio_file import parse_portfolio
from options_helper.simulator.account.orders import LegRequest
from options_helper.simulator.server import AlpacaSimulator
from options_helper.times import utc_now

pytestmark = pytest.mark.integration

CALLS = ("AAPL270115C00250000", "AAPL270115C00260000", "AAPL270219C00250000")
OTHERS = ("BRKB270115P00500000", "CSGP1270115C00100000", "SPXW270115C06000000", "MSFT", "BRK.B")


def rows(simulator: AlpacaSimulator) -> dict[str, dict[str, Any]]:
    """The broker's positions by symbol, as any client gets them."""
    with closing(AlpacaRest(load_settings(simulator.environment()))) as rest:
        return {row["symbol"]: row for row in rest.positions()}


def trade(simulator: AlpacaSimulator, dice: random.Random, held: Counter[str]) -> None:
    """Do one of the things that happen to an account; no order takes a quantity across zero."""
    price = dice.randint(5, 900) / 100
    doing = dice.choice(["single", "spread", "spread", "close", "roll", "assign", "exercise", "expire"])
    if doing == "single":
        symbol = dice.choice((*CALLS, *OTHERS))
        side = "buy" if held[symbol] >= 0 else "sell"
        quantity = dice.choice([1, 3])
        simulator.fill_now(symbol, side, quantity, price)
        held[symbol] += quantity if side == "buy" else -quantity
    elif doing == "spread" and held[CALLS[0]] >= 0 >= held[CALLS[1]]:
        legs = [LegRequest(CALLS[0], "buy"), LegRequest(CALLS[1], "sell")]
        order = simulator.place_multileg_order(legs, 2)
        simulator.fill(order, 1, [price + 1, price])
        simulator.fill(order, 1, [price + 1.05, price])
        held[CALLS[0]] += 2
        held[CALLS[1]] -= 2
    elif doing == "close" and any(held.values()):
        symbol = dice.choice([symbol for symbol, quantity in held.items() if quantity])
        side = "sell" if held[symbol] > 0 else "buy"
        simulator.fill_now(symbol, side, 1, price)
        held[symbol] += 1 if side == "buy" else -1
    elif doing == "roll" and held[CALLS[0]] > 0 <= held[CALLS[2]]:
        legs = [LegRequest(CALLS[0], "sell"), LegRequest(CALLS[2], "buy")]
        simulator.fill(simulator.place_multileg_order(legs), prices=[price, price + 0.5])
        held[CALLS[0]] -= 1
        held[CALLS[2]] += 1
    elif doing == "assign" and held[CALLS[1]] < 0:
        simulator.settle("OPASN", CALLS[1], 1)
        held[CALLS[1]] += 1
        held["AAPL"] -= 100
    elif doing == "exercise" and held[CALLS[2]] > 0:
        simulator.settle("OPEXC", CALLS[2], 1)
        held[CALLS[2]] -= 1
        held["AAPL"] += 100
    elif doing == "expire" and held[CALLS[0]]:
        simulator.settle("OPEXP", CALLS[0], 1)
        held[CALLS[0]] += 1 if held[CALLS[0]] < 0 else -1


def quantities(portfolio: Portfolio) -> dict[str, Decimal]:
    """Return the signed quantity of each symbol, according to the file."""
    sums: Counter[str] = Counter()
    for position in portfolio.positions:
        for part in parts_of(position):
            sums[part.symbol] += part.quantity
    return dict(sums)


def cost(portfolio: Portfolio) -> Decimal:
    """Return the dollars paid, according to the file."""
    total = Decimal(0)
    for position in portfolio.positions:
        if isinstance(position, MultiLegPosition):
            total += Decimal(str(position.net_debit))
        elif isinstance(position, EquityPosition):
            total += Decimal(str(position.shares)) * Decimal(str(position.cost_basis))
        else:
            total += 100 * position.contracts * Decimal(str(position.cost_basis))
    return total


@settings(max_examples=10)
@given(dice=st.randoms(use_true_random=False))
def test_the_account_is_written_as_a_file(dice: random.Random) -> None:
    """The file of any account agrees with it in quantities and cost, and merging the file changes nothing."""
    held = Counter[str]()
    with (
        AlpacaSimulator(tick_seconds=0, order_interval_seconds=0) as simulator,
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as monkeypatch,
    ):
        at = utc_now() - dt.timedelta(days=20)
        for _ in range(40):
            at += dt.timedelta(hours=dice.choice([0, 5, 15]), seconds=dice.choice([1, 70]))
            simulator.set_order_time(at)
            trade(simulator, dice, held)
        monkeypatch.setenv("APCA_API_BASE_URL", simulator.url)
        for name, value in simulator.environment().items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(cli.app, ["portfolio"])
        assert (result.exit_code, result.stderr) == (0, "")
        portfolio = parse_portfolio("account", result.stdout.encode())
        broker = rows(simulator)
        seen = LiveSnapshot(broker_positions=read_positions(broker.values()), broker_positions_at=utc_now())
        side = BrokerSide.of(seen)
        assert side is not None
        compared = compare_account(portfolio, side)
        assert {row.agreement for row in compared.rows} <= {Agreement.EQUAL}
        assert {row.symbol for row in compared.rows} == set(broker)
        assert quantities(portfolio) == {symbol: Decimal(row["qty"]) for symbol, row in broker.items()}
        paid = sum((Decimal(row["cost_basis"]) for row in broker.values()), Decimal(0))
        structures = sum(isinstance(each, MultiLegPosition) for each in portfolio.positions)
        assert abs(cost(portfolio) - paid) <= Decimal("0.005") * structures + Decimal("0.0001")
        hypothesis.event(f"{structures} structures")
        file = Path(folder) / "portfolio.json"
        file.write_text(result.stdout)
        again = CliRunner().invoke(cli.app, ["portfolio", "--merge", str(file)])
        assert json.loads(again.stdout) == json.loads(result.stdout)
        words = CliRunner().invoke(cli.app, ["portfolio", "--merge", str(file), "--diff"])
        assert "nothing would change" in words.stdout
        assert set(simulator.methods_seen) == {"GET"}


def test_without_keys_the_command_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without keys, the command prints one sentence to standard error, no output, and exits with status 1."""
    monkeypatch.chdir(tmp_path)
    for name in KEY_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.argv", ["options-helper", "portfolio"])
    result = CliRunner().invoke(cli.app, ["portfolio"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert all(name in str(result.exception) for name in KEY_NAMES)


def test_the_demos_account_needs_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`portfolio --demo` groups legs into structures by order or by minute; `check -` accepts its output."""
    monkeypatch.chdir(tmp_path)
    for name in KEY_NAMES:
        monkeypatch.delenv(name, raising=False)
    printed = CliRunner().invoke(cli.app, ["portfolio", "--demo"])
    assert (printed.exit_code, printed.stderr) == (0, "")
    positions = parse_portfolio("demo", printed.stdout.encode()).positions
    structures = {one.symbol: one for one in positions if isinstance(one, MultiLegPosition)}
    assert (len(structures["AAPL"].legs), structures["AAPL"].note) == (4, None)
    assert "within one minute" in str(structures["TSLA"].note)
    assert sum(one.opened_at is not None for one in positions) >= len(positions) - 2
    assert CliRunner().invoke(cli.app, ["check", "-"], input=printed.stdout).exit_code == 0


def test_the_file_to_merge_is_not_its_own_output(tmp_path: Path) -> None:
    """A file emptied by `> p.json`, or extended by `>> p.json`, is refused before any request."""
    file = tmp_path / "p.json"
    command = [sys.executable, "-m", "options_helper", "portfolio", "--merge", str(file)]
    for mode, content in (("w", ""), ("a", '{"positions": []}')):
        file.write_text('{"positions": []}')
        with file.open(mode) as output:
            done = subprocess.run(  # noqa: S603 - this interpreter
                command, stdout=output, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path
            )
        assert done.returncode == 1
        assert "the output is redirected into this file" in done.stderr
        assert file.read_text() == content


def test_a_row_that_cannot_be_read_is_never_merged_away(tmp_path: Path) -> None:
    """An unreadable row prevents a merge; without a file, it is named and the other rows are printed."""
    file = tmp_path / "p.json"
    file.write_text('{"positions": [{"id": "s", "symbol": "MSFT", "shares": 5, "cost_basis": 1}], "mine": 1}')
    rows = [{"symbol": "MSFT", "qty": "many", "avg_entry_price": "1"}]
    left_out: list[str] = []
    holdings, unread = read_holdings(rows, left_out)
    history = AccountHistory(holdings=holdings, unread=unread > 0)
    with pytest.raises(PortfolioError, match="could not be read"):
        write_account_portfolio(history, read_existing(file))
    assert json.loads(write_account_portfolio(history).text)["positions"] == []
    assert left_out == ["A position could not be read (MSFT)."]
    whole = AccountHistory(
        holdings=[Holding(symbol="MSFT", quantity=Decimal(4), entry_price=Decimal(1))],
    )
    merged = json.loads(write_account_portfolio(whole, read_existing(file)).text)
    assert (merged["mine"], merged["positions"][0]["shares"]) == (1, 4)
