"""A portfolio file is understood as written, refused or questioned; no figure changes silently."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from options_helper import cli
from options_helper.analysis.contracts.products import is_vix_monthly_expiry
from options_helper.analysis.holdings.plausibility import describe_position, find_doubts
from options_helper.analysis.text.figures import MINUS
from options_helper.errors import PortfolioError
from options_helper.files.check import check_portfolio
from options_helper.models import Portfolio
from options_helper.portfolio_file import parse_portfolio

TODAY = dt.date(2026, 11, 27)
PUT: dict[str, Any] = {
    "id": "o",
    "symbol": "XYZ",
    "option_type": "put",
    "expiry": "2026-12-18",
    "strike": 45,
    "contracts": 3,
    "cost_basis": 1.2,
}
SHARES: dict[str, Any] = {"id": "s", "symbol": "SLM", "shares": 200, "cost_basis": 8.36}
LEGS: list[dict[str, Any]] = [
    {"side": "short", "option_type": "put", "expiry": "2026-12-18", "strike": 50, "contracts": 2},
    {"side": "long", "option_type": "put", "expiry": "2026-12-18", "strike": 45, "contracts": 2},
]
SPREAD: dict[str, Any] = {"id": "x", "symbol": "XYZ", "net_debit": -300, "legs": LEGS}


def load(*positions: object, **more: object) -> Portfolio:
    """The portfolio of a file with these positions."""
    document = {"positions": list(positions), **more}
    return parse_portfolio("p.json", json.dumps(document).encode(), today=TODAY)


def refusal(*positions: object, **more: object) -> str:
    """Return the error that loading a file with these positions raises."""
    with pytest.raises(PortfolioError) as caught:
        load(*positions, **more)
    return str(caught.value)


def doubts(position: dict[str, Any]) -> list[str]:
    """The doubts about one position."""
    return find_doubts(load(position).positions[0])


def in_leg(**more: object) -> dict[str, Any]:
    """Return the spread with an additional key on its first leg."""
    return SPREAD | {"legs": [LEGS[0] | more, LEGS[1]]}


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (PUT | {"side": "short"}, "side"),
        (SHARES | {"side": "short"}, "side"),
        (PUT | {"side": "long"}, "side"),
        (PUT | {"shares": 200}, "option_type"),
        (SHARES | {"contracts": 2}, "contracts"),
        (SHARES | {"multiplier": 10}, "multiplier"),
        (PUT | {"net_debit": 360}, "net_debit"),
        (PUT | {"cash": 360}, "cash"),
        (SPREAD | {"contracts": 2}, "contracts"),
        (SPREAD | {"shares": 100}, "shares"),
        (SPREAD | {"cost_basis": 1.5}, "cost_basis"),
        (SPREAD | {"expiry": "2026-12-18"}, "expiry"),
        (in_leg(cost_basis=1.5), "cost_basis"),
        (in_leg(net_debit=100), "net_debit"),
        (in_leg(symbol="ABC"), "symbol"),
        (SPREAD | {"quantity": 2}, "quantity"),
        (SPREAD | {"qty": 2}, "qty"),
        (SPREAD | {"lots": 2}, "lots"),
        (SPREAD | {"premium": 1.5}, "premium"),
        (SPREAD | {"entry_price": 1.5}, "entry_price"),
        (PUT | {"net_credit": 360}, "net_credit"),
        (SHARES | {"lots": 2}, "lots"),
        (in_leg(premium=1.5), "premium"),
        (in_leg(avg_entry_price=1.5), "avg_entry_price"),
        (in_leg(net_credit=100), "net_credit"),
        (SPREAD | {"quantity": "2"}, "quantity"),
        (SPREAD | {"units": 5}, "units"),
        (SPREAD | {"spreads": 5.0}, "spreads"),
    ],
    ids=str,
)
def test_a_known_key_in_the_wrong_place_is_refused(entry: dict[str, Any], key: str) -> None:
    """A known key without a meaning in its place is refused, not ignored."""
    assert f"field {key}: has no meaning" in refusal(entry)


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        (PUT | {"qty": 5}, "contracts"),
        (PUT | {"quantity": 5}, "contracts"),
        (PUT | {"opened": "2026-11-02"}, "opened_at"),
        (PUT | {"open_at": "2026-11-02"}, "opened_at"),
        (PUT | {"multiplyer": 10}, "multiplier"),
        (PUT | {"Strike": 50}, "strike"),
        (PUT | {"expiration": "2026-12-11"}, "expiry"),
        (SHARES | {"quantity": 5}, "shares"),
        ({"id": "s", "symbol": "SLM", "qty": 200, "cost_basis": 8.36}, "shares"),
        ({key: value for key, value in PUT.items() if key != "symbol"} | {"ticker": "XYZ"}, "symbol"),
        (SPREAD | {"net_credit": 300}, "net_debit"),
        (SPREAD | {"net_debt": 300}, "net_debit"),
        ({key: value for key, value in PUT.items() if key != "option_type"} | {"type": "put"}, "option_type"),
        (in_leg(quantity=5), "contracts"),
        ({"id": "x", "symbol": "XYZ", "net_debit": -300, "Legs": LEGS}, "legs"),
        ({"id": "x", "symbol": "XYZ", "net_debit": -300, "leg": LEGS}, "legs"),
    ],
    ids=str,
)
def test_a_near_miss_names_the_likely_key(entry: dict[str, Any], meant: str) -> None:
    """A key like one of ours, or another tool's name for one, is refused, and the error names ours."""
    assert f'did you mean "{meant}"' in refusal(entry)


@pytest.mark.parametrize("key", ["holdings", "multileg_positions", "Positions", "postions"])
def test_a_list_under_another_name_is_not_an_empty_portfolio(key: str) -> None:
    """A list of positions under a different name is refused, or they would be missing from every total."""
    assert 'did you mean "positions"?' in refusal(**{key: [PUT]})


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (PUT | {"action": "sell_to_open"}, "action"),
        (PUT | {"direction": "Short"}, "direction"),
        (PUT | {"position": "short"}, "position"),
        (PUT | {"is_short": True}, "is_short"),
        (PUT | {"is_long": False}, "is_long"),
        (PUT | {"short": True}, "short"),
        (PUT | {"contracts": -3, "action": "buy"}, "action"),
        (PUT | {"contracts": -3, "is_short": False}, "is_short"),
        (SHARES | {"position_side": "SHORT"}, "position_side"),
        (SHARES | {"shares": -200, "long_short": "long"}, "long_short"),
    ],
    ids=str,
)
def test_another_word_for_the_side_must_not_contradict_the_sign(entry: dict[str, Any], key: str) -> None:
    """Another program's word for the side must agree with the sign."""
    assert f"field {key}: says the opposite of the sign" in refusal(entry)
    field = "contracts" if "contracts" in entry else "shares"
    assert load(entry | {field: -entry[field]})


@pytest.mark.parametrize(
    "entry",
    [
        PUT | {"closed_at": "2026-11-20"},
        PUT | {"status": "closed"},
        PUT | {"status": "Expired"},
        SHARES | {"closed": True},
        SHARES | {"exit_date": "2026-11-20"},
        SPREAD | {"status": "assigned"},
        SPREAD | {"close_date": "2026-11-20"},
        PUT | {"exit_price": 2.5},
        PUT | {"is_open": False},
        SHARES | {"active": False},
    ],
    ids=str,
)
def test_a_closed_position_is_not_counted_as_open(entry: dict[str, Any]) -> None:
    """An export with closed positions is refused, but one with open positions is not."""
    assert "says that the position is closed" in refusal(entry)
    assert "says that the leg is closed" in refusal(in_leg(status="closed"))
    still_open = {
        "exit_price": None,
        "is_open": True,
        "active": True,
        "closed_at": None,
        "closed": False,
        "status": "open",
        "exit_date": "",
        "close_date": None,
    }
    assert load({key: still_open.get(key, value) for key, value in entry.items()})


@pytest.mark.parametrize(
    "entry", [PUT, SHARES, SPREAD, in_leg(currency="EUR")], ids=lambda entry: entry["id"]
)
def test_no_entry_is_in_another_currency(entry: dict[str, Any]) -> None:
    """A position's own currency is checked like the file's."""
    if "legs" not in entry or "currency" not in entry["legs"][0]:
        assert load(entry | {"currency": "usd"})
        entry = entry | {"currency": "EUR"}
    assert "field currency: must be USD" in refusal(entry)


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (PUT | {"osi": "XYZ261218C00045000"}, "osi"),
        (PUT | {"option_symbol": "XYZ   261218P00046000"}, "option_symbol"),
        (in_leg(occ_symbol="XYZ270115P00050000"), "occ_symbol"),
        (PUT | {"underlying": "ABC"}, "underlying"),
        (SHARES | {"ticker": "SLMN"}, "ticker"),
        (in_leg(underlying="ABC"), "underlying"),
        (in_leg(ratio_qty=4), "ratio_qty"),
    ],
    ids=str,
)
def test_another_name_of_the_instrument_must_not_contradict_its_terms(
    entry: dict[str, Any], key: str
) -> None:
    """If the contract is named twice, both names must agree."""
    assert f"field {key}: " in refusal(entry)
    same = {"osi": "xyz261218p00045000", "option_symbol": "XYZ   261218P00045000", "ticker": "slm"}
    in_legs = {"occ_symbol": "XYZ261218P00050000", "underlying": "XYZ", "ratio_qty": 1}
    if "legs" in entry:
        assert load(in_leg(**{key: in_legs[key]}))
    else:
        assert load(entry | {key: (same | {"underlying": "XYZ"})[key]})


@pytest.mark.parametrize("key", ["stocks", "equities", "spreads", "open_trades", "Futures"])
@pytest.mark.parametrize("entry", [PUT, SHARES, SPREAD, {"symbol": "XYZ", "qty": 2}], ids=str)
def test_a_second_list_of_positions_does_not_vanish(key: str, entry: dict[str, Any]) -> None:
    """A list of positions under any key is refused; a list of other things is ignored."""
    assert f"field {key}: holds entries that look like positions" in refusal(PUT, **{key: [entry]})
    assert f"field {key}: holds entries that look like positions" in refusal(
        **{key: [{"name": "IRA", "rows": [entry]}]}
    )
    assert load(PUT, **{key: [{"symbol": "XYZ", "note": "watch"}, "XYZ", 7]})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (SHARES | {"symbol": "SPX"}, "SPX is an index"),
        (SHARES | {"symbol": "VIX"}, "VIX is an index"),
        (SHARES | {"symbol": "CSGP1"}, "the root of adjusted contracts"),
        (PUT | {"root": "ABC"}, "a contract with the root ABC on the underlying XYZ"),
        (in_leg(root="SPXW"), "a contract with the root SPXW on the underlying XYZ"),
        (PUT | {"opened_at": "2026-11-26", "expiry": "2026-11-25"}, "after its expiry on 25 Nov 2026"),
        (in_leg(expiry="2026-11-25") | {"opened_at": "2026-11-26"}, "opened on 26 Nov 2026"),
    ],
    ids=str,
)
def test_an_implausible_instrument_is_questioned(entry: dict[str, Any], words: str) -> None:
    """Shares of an index, contracts of another stock, and positions opened after their end are questioned."""
    assert any(words in doubt for doubt in doubts(entry))


def test_unknown_keys_stay_ignored() -> None:
    """Other tools' keys are ignored, a schema may be named, and name, tag and note are free text."""
    extra = {"ratio": 1, "broker": "x", "name": "hedge", "tag": ["income"], "note": "rolled"}
    portfolio = load(PUT | extra, in_leg(symbol="XYZ", note="n"), **{"$schema": "x", "risk_profile": {}})
    assert (portfolio.positions[0].tag, portfolio.positions[0].name) == (["income"], "hedge")


@pytest.mark.parametrize("currency", ["EUR", "CAD", "usdt", "GBP"])
def test_only_dollars_are_understood(currency: str) -> None:
    """Amounts in euros are refused."""
    assert '"USD", the only supported currency' in refusal(base_currency=currency, cash=30000)
    assert load(base_currency="usd").base_currency == "USD"


@pytest.mark.parametrize("opened", ["2026-11-28", "2027-11-02", "2026-11-27T23:59:00-08:00"])
def test_nothing_was_opened_in_the_future(opened: str) -> None:
    """A future `opened_at` is refused; with a wrong year, every day's P/L would be the total P/L."""
    assert 'position "o", field opened_at: ' in refusal(PUT | {"opened_at": opened})
    assert load(PUT | {"opened_at": "2026-11-27"}).positions[0].opened_on == TODAY


@pytest.mark.parametrize(
    ("symbol", "underlying"),
    [("SPXW", "SPX"), ("VIXW", "VIX"), ("DJXW", "DJX"), ("NDXP", "NDX"), ("RUTW", "RUT"), ("CSGP1", "CSGP")],
)
def test_a_root_in_place_of_the_underlying_is_understood(symbol: str, underlying: str) -> None:
    """The price is the underlying's, and the contract keeps its root."""
    single, spread = load(PUT | {"symbol": symbol}, SPREAD | {"symbol": symbol}).positions
    assert (single.symbol, single.root) == (underlying, symbol)
    assert (spread.symbol, {leg.root for leg in spread.legs}) == (underlying, {symbol})


@pytest.mark.parametrize(
    "symbol",
    [
        "BTC/USD",
        "eth/usd",
        "BTC-USD",
        "BTC.USD",
        "SOL/USDT",
        "BTCUSD",
        "ETHUSDT",
        "eurusd",
        "USDJPY",
        "ethbtc",
        "EUR/CHF",
    ],
)
def test_a_currency_pair_is_not_a_stock(symbol: str) -> None:
    """A pair of currencies is refused by the position's id; USD alone is a fund."""
    assert 'position "s", field symbol' in refusal(SHARES | {"symbol": symbol})
    assert load(SHARES | {"symbol": "USD"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expiry": "2026-12-19"}, "Saturday"),
        ({"expiry": "2026-12-20"}, "Sunday"),
        ({"expiry": "2026-12-25"}, "not a trading day"),
        ({"expiry": "2027-03-26"}, "not a trading day"),  # Good Friday
        ({"expiry": "2027-06-18"}, "not a trading day"),  # Juneteenth, on a Saturday
        ({"symbol": "SPX", "expiry": "2026-12-17"}, "settle on Friday morning"),
        ({"symbol": "SPX", "expiry": "2026-12-09"}, '"root": "SPXW"'),
        ({"symbol": "VIX", "expiry": "2026-12-09"}, '"root": "VIXW"'),
        ({"symbol": "DJX", "expiry": "2026-12-09"}, '"root": "DJXW"'),
        ({"symbol": "NDX", "expiry": "2026-12-09"}, '"root": "NDXP"'),
        ({"cost_basis": 120}, "1.2 was probably meant"),
        ({"cost_basis": 46}, "more than it can ever be worth"),
        ({"multiplier": 10_000}, "$10,000 per point for XYZ contracts"),
        ({"multiplier": 1}, "$1 per point for XYZ contracts"),
        ({"root": "XYZ1", "multiplier": 15_000}, "$15,000 per point for XYZ1 contracts"),
        ({"symbol": "SPX", "root": "SPXW", "multiplier": 10}, "$10 per point for SPXW contracts"),
        ({"symbol": "NANOS"}, 'NANOS is $1 per point (write "multiplier": 1)'),
        ({"symbol": "VIXW", "expiry": "2026-12-18"}, "18 Dec 2026 is a Friday"),
        ({"symbol": "VIXW", "expiry": "2026-12-16"}, 'write "root": "VIX"'),
    ],
    ids=str,
)
def test_an_implausible_single_is_questioned(changes: dict[str, Any], words: str) -> None:
    """The sentence says how the entry was understood, or what was probably meant."""
    [doubt] = doubts(PUT | changes)
    assert words in doubt


@pytest.mark.parametrize(
    ("net_debit", "words"),
    [
        (300, f"If it was a credit, write -300: at best +$300, at worst {MINUS}$700"),
        (300, "loses money at every price at expiry"),
        (-6.5, "3.25 cents a share; net_debit is in total dollars, so -1,300 was probably meant"),
        (1, "less than one cent a share; net_debit is in total dollars, so 200 was probably meant"),
        (-1.5, "less than one cent a share; net_debit is in total dollars, so -300 was probably meant"),
        (-1500, "makes money at every price at expiry"),
        (-30000, "in total dollars for the whole structure, not per share"),
    ],
)
def test_an_implausible_structure_is_questioned(net_debit: float, words: str) -> None:
    """A credit written as a debit, and a price per share in place of a total, are questioned."""
    assert any(words in doubt for doubt in doubts(SPREAD | {"net_debit": net_debit}))


@pytest.mark.parametrize(
    ("net_debit", "near", "far", "words"),
    [
        (
            -250,
            ("short", 50),
            ("long", 50),
            "it then makes money at every price. If it was a debit, write 250.",
        ),
        (-250, ("short", 52), ("long", 50), "it then makes money at every price"),
        (
            250,
            ("long", 50),
            ("short", 50),
            "it then loses money at every price. If it was a credit, write",
        ),
        (250, ("short", 50), ("long", 50), None),
        (-250, ("short", 50), ("long", 52), None),
        (-250, ("short", 50, "SPXW"), ("long", 50, "SPXW"), None),
    ],
    ids=str,
)
def test_a_calendar_with_the_wrong_sign_is_questioned(
    net_debit: float, near: tuple[Any, ...], far: tuple[Any, ...], words: str | None
) -> None:
    """No price is needed: an American option is worth no less than one that expires earlier."""
    legs = [
        {"option_type": "call", "expiry": day, "contracts": 2, "side": side, "strike": strike}
        | ({"root": root[0]} if root else {})
        for day, (side, strike, *root) in (("2026-12-18", near), ("2027-01-15", far))
    ]
    symbol = "SPX" if len(near) > 2 else "XYZ"
    found = " ".join(doubts(SPREAD | {"symbol": symbol, "legs": legs, "net_debit": net_debit}))
    assert (words in found) if words else ("every price" not in found)


def test_a_good_file_raises_no_doubt() -> None:
    """A plausible value is not questioned."""
    assert [doubt for entry in (PUT, SHARES, SPREAD) for doubt in doubts(entry)] == []
    adjusted = [PUT | {"root": "XYZ1", "multiplier": 150}, PUT | {"multiplier": 100}]
    assert [doubt for entry in adjusted for doubt in doubts(entry)] == []
    assert is_vix_monthly_expiry(dt.date(2026, 12, 16))
    index = [{"symbol": "NANOS", "multiplier": 1}, {"symbol": "VIXW", "expiry": "2026-12-23"}]
    day_before_holiday = {"symbol": "VIXW", "expiry": "2030-12-24"}
    assert [doubt for entry in (*index, day_before_holiday) for doubt in doubts(PUT | entry)] == []


@given(
    entry=st.sampled_from([PUT, SHARES, SPREAD]),
    data=st.data(),
    fate=st.sampled_from(["rename", "move", "flip"]),
)
def test_any_mutation_is_seen(entry: dict[str, Any], data: st.DataObject, fate: str) -> None:
    """A misspelled or moved key, or an opposite sign, is always reported."""
    key = data.draw(st.sampled_from(sorted(set(entry) - {"id", "symbol"})))
    rest = {name: value for name, value in entry.items() if name != key}
    if fate == "rename":
        where = data.draw(st.integers(0, len(key) - 1))
        document = {"positions": [rest | {key[:where] + key[where + 1 :]: entry[key]}]}
    elif fate == "move":
        document = {"positions": [rest], key: entry[key]}
    else:
        value = entry[key]
        if not isinstance(value, int | float) or key in {
            "contracts",
            "shares",
        }:  # a short is as good as a long
            return
        document = {"positions": [rest | {key: -value}]}
    try:
        portfolio = parse_portfolio("p.json", json.dumps(document).encode(), today=TODAY)
    except PortfolioError:
        return
    assert portfolio.positions == load(entry).positions or find_doubts(portfolio.positions[0])


def test_check_prints_what_was_understood(tmp_path: Any) -> None:
    """The output has problems, warnings and positions; the exit status is 1 only with a problem."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"positions": [PUT | {"contracts": -3}, SPREAD | {"net_debit": 300}]}))
    checked = check_portfolio(path, TODAY)
    assert checked.positions[0]["understood"] == (
        "short 3 \u00d7 XYZ 45 put, 18 Dec 2026, received $1.20 a share = $360.00"
    )
    assert [each["position"] for each in checked.warnings] == ["x"]
    result = CliRunner().invoke(cli.app, ["check", str(path), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (0, True)
    path.write_text(json.dumps({"positions": [PUT | {"side": "short", "strike": 0}]}))
    result = CliRunner().invoke(cli.app, ["check", str(path), "--json"])
    assert result.exit_code == 1
    assert [each["place"] for each in json.loads(result.stdout)["problems"]] == [
        'position "o", field side',
        'position "o", field strike',
    ]
    assert "2 problems" in CliRunner().invoke(cli.app, ["check", str(path)]).stdout


def test_a_cost_of_minus_zero_is_zero() -> None:
    """A cost of -0.0 is not negative."""
    words = describe_position(load(PUT | {"cost_basis": -0.0}).positions[0])
    assert words.endswith("paid $0.00 a share = $0.00")


def test_check_cannot_be_made_to_forge_a_line(tmp_path: Any) -> None:
    """A line feed in a file's name or id is escaped."""
    path = tmp_path / "p\nok.json"
    path.write_text(json.dumps({"positions": [PUT | {"id": "o\nok"}]}))
    first, *others = CliRunner().invoke(cli.app, ["check", str(path)]).stdout.splitlines()
    assert first.endswith("p\\nok.json: 0 problems, 0 warnings, 1 position")
    assert [line.partition(":")[0] for line in others] == ["  o\\nok"]


def test_check_limits_standard_input_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """For `-`, too much input or a closed input is a problem."""
    read = CliRunner().invoke(cli.app, ["check", "-"], input='{"positions": []}')
    assert (read.exit_code, read.stdout) == (0, "-: 0 problems, 0 warnings, 0 positions\n")
    large = CliRunner().invoke(cli.app, ["check", "-"], input=b" " * 10_000_001)
    assert (large.exit_code, "the limit is 10 MB" in large.stdout) == (1, True)
    monkeypatch.setattr("sys.stdin", None)
    assert check_portfolio(Path("-"), TODAY).problems[0]["reason"].startswith("standard input is closed")
