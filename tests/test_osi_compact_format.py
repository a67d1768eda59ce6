"""Contract symbols: parsing from the right, both formats, and terms that no symbol can express."""

from __future__ import annotations

import datetime as dt
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.analysis.osi import (
    ParsedContract,
    contract_symbol,
    format_osi,
    format_osi_compact,
    is_contract_symbol,
    normalize_underlying,
    parse_contract_symbol,
    strike_in_mils,
    underlying_of,
)
from options_helper.errors import ContractSymbolError, OptionsHelperError
from options_helper.models import Leg, Position

roots = st.from_regex(r"[A-Z]{1,5}[A-Z0-9]?", fullmatch=True)
expiries = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))
mils = st.integers(1, 99_999_999)


@st.composite
def contracts(draw: st.DrawFn) -> ParsedContract:
    """Any contract that a symbol can carry."""
    root = draw(roots)
    option_type = draw(st.sampled_from(["call", "put"]))
    return ParsedContract(root, root, draw(expiries), option_type, draw(mils) / 1000)


def terms(parsed: ParsedContract) -> tuple[object, ...]:
    """Return a contract's identity, independent of its written form."""
    return parsed.underlying_norm, parsed.expiry, parsed.option_type, parsed.strike


@given(contracts())
def test_both_formats_parse_back_to_the_same_terms(contract: ParsedContract) -> None:
    """Formatting, padded or compact, and parsing are inverses of each other."""
    assert terms(parse_contract_symbol(format_osi(contract))) == terms(contract)
    assert terms(parse_contract_symbol(format_osi_compact(contract))) == terms(contract)


@given(contracts())
def test_padded_and_compact_differ_only_in_the_padding(contract: ParsedContract) -> None:
    """The padded form has 21 characters and is the compact one with spaces in its root."""
    padded = format_osi(contract)
    assert len(padded) == 21
    assert padded.replace(" ", "") == format_osi_compact(contract)


@given(mils)
def test_a_strike_survives_to_the_tenth_of_a_cent(count: int) -> None:
    """The float nearest to any possible strike gives its exact eight digits."""
    assert strike_in_mils(float(Decimal(count) / 1000)) == count


@given(st.text(max_size=30))
def test_any_text_is_a_contract_or_a_clear_error(text: str) -> None:
    """Parsing raises only its own error."""
    try:
        parsed = parse_contract_symbol(text)
    except ContractSymbolError:
        assert not is_contract_symbol(text)
    else:
        assert is_contract_symbol(format_osi_compact(parsed))


@pytest.mark.parametrize(
    ("symbol", "root", "norm", "expiry", "option_type", "strike"),
    [
        ("AAPL261218C00250000", "AAPL", "AAPL", dt.date(2026, 12, 18), "call", 250.0),
        ("AAPL  261218P00250000", "AAPL", "AAPL", dt.date(2026, 12, 18), "put", 250.0),
        ("  aapl261218c00250000\n", "AAPL", "AAPL", dt.date(2026, 12, 18), "call", 250.0),
        ("CSGP1251017P00001000", "CSGP1", "CSGP1", dt.date(2025, 10, 17), "put", 1.0),
        ("BRKB261218C00500000", "BRKB", "BRKB", dt.date(2026, 12, 18), "call", 500.0),
        ("BRK.B 261218C00500000", "BRK.B", "BRKB", dt.date(2026, 12, 18), "call", 500.0),
        ("BRK-B261218C00500000", "BRK-B", "BRKB", dt.date(2026, 12, 18), "call", 500.0),
        ("F690118C00012500", "F", "F", dt.date(2069, 1, 18), "call", 12.5),
        ("2SPX261218P00000500", "2SPX", "2SPX", dt.date(2026, 12, 18), "put", 0.5),
    ],
)
def test_known_symbols_parse(
    symbol: str, root: str, norm: str, expiry: dt.date, option_type: str, strike: float
) -> None:
    """A symbol is read from the right, whatever its padding, case, separator or adjusted root."""
    assert is_contract_symbol(symbol)
    parsed = parse_contract_symbol(symbol)
    assert (parsed.underlying, parsed.underlying_norm) == (root, norm)
    assert (parsed.expiry, parsed.option_type, parsed.strike) == (expiry, option_type, strike)
    assert parsed.raw == symbol


@pytest.mark.parametrize(
    ("strike", "digits"),
    [
        (0.001, "00000001"),
        (0.5, "00000500"),
        (2.5, "00002500"),
        (0.1 + 0.2, "00000300"),
        (1.1, "00001100"),
        (1234.567, "01234567"),
        (99_999.999, "99999999"),
    ],
)
def test_strikes_are_written_in_tenths_of_a_cent(strike: float, digits: str) -> None:
    """Fractional strikes take eight digits without a rounding error."""
    contract = ParsedContract("AAPL", "AAPL", dt.date(2026, 12, 18), "call", strike)
    assert format_osi_compact(contract) == f"AAPL261218C{digits}"
    assert format_osi(contract) == f"AAPL  261218C{digits}"


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "AAPL",
        "261218C00250000",
        "AAPL261218X00250000",
        "AAPL261318C00250000",
        "AAPL260230C00250000",
        "AAPL261218C0025000",
        "AAPL261218C00000000",
        "TOOLONG261218C00250000",
        "1234261218C00250000",
        "AÄPL261218C00250000",
        "AAPL26121\N{ARABIC-INDIC DIGIT EIGHT}C00250000",
        "AAPL_261218C00250000",
        None,
        17,
        "X" * 5000,
    ],
)
def test_nonsense_is_refused_with_an_explanation(symbol: object) -> None:
    """Anything else raises a ValueError that shows a valid symbol, in one line."""
    assert not is_contract_symbol(symbol)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ContractSymbolError, match="AAPL261218C00250000") as caught:
        parse_contract_symbol(symbol)  # type: ignore[arg-type]  # that is the point
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, OptionsHelperError)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"underlying_norm": "TOOLONG"}, "root"),
        ({"underlying_norm": "", "underlying": "---"}, "root"),
        ({"option_type": "C"}, '"call" or "put"'),
        ({"expiry": dt.date(1999, 12, 17)}, "2000 and 2099"),
        ({"expiry": dt.date(2100, 1, 15)}, "2000 and 2099"),
        ({"strike": 0.0}, "above 0"),
        ({"strike": -5.0}, "above 0"),
        ({"strike": 100_000.0}, "above 0"),
        ({"strike": float("nan")}, "above 0"),
        ({"strike": 33.3333}, "tenth of a cent"),
        ({"strike": 1e-9}, "tenth of a cent"),
    ],
)
def test_terms_that_no_symbol_can_express_are_refused_at_once(change: dict[str, object], words: str) -> None:
    """A contract without a valid symbol cannot be built."""
    good: dict[str, object] = {
        "underlying": "AAPL",
        "underlying_norm": "AAPL",
        "expiry": dt.date(2026, 12, 18),
        "option_type": "call",
        "strike": 250.0,
    }
    with pytest.raises(ContractSymbolError, match=words):
        ParsedContract(**(good | change))  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("norm", ["BRK.B", "BRK-B", "brk/b", "BRK B", "BRKB", ""])
def test_a_formatted_symbol_never_has_a_separator(norm: str) -> None:
    """However the root was written, the symbol has no separator."""
    contract = ParsedContract("BRK.B", norm, dt.date(2026, 12, 18), "call", 500.0)
    assert format_osi_compact(contract) == "BRKB261218C00500000"
    assert format_osi(contract) == "BRKB  261218C00500000"


@pytest.mark.parametrize(
    ("symbol", "root"),
    [("aapl ", "AAPL"), ("BRK.B", "BRKB"), ("BRK-B", "BRKB"), ("brk/b", "BRKB"), ("BF B", "BFB")],
)
def test_an_underlying_gives_its_root(symbol: str, root: str) -> None:
    """Separators, spaces and case do not affect the root."""
    assert normalize_underlying(symbol) == root


def test_a_contract_is_frozen() -> None:
    """A parsed contract is immutable and can be a key."""
    contract = parse_contract_symbol("AAPL261218C00250000")
    with pytest.raises(FrozenInstanceError):
        contract.strike = 1.0  # type: ignore[misc]  # that is the point
    assert {contract: 1}[parse_contract_symbol("AAPL261218C00250000")] == 1


def test_positions_and_legs_have_one_spelling() -> None:
    """A position or leg gives Alpaca's symbol of its contract, with its own root if it has one."""
    december = dt.date(2026, 12, 18)
    single = Position(
        id="a", symbol="BRK-B", option_type="call", expiry=december, strike=500, contracts=1, cost_basis=1
    )
    leg = Leg(side="short", option_type="put", expiry=december, strike=6000, contracts=1, root="spxw")
    assert contract_symbol(single.symbol, single) == "BRKB261218C00500000"
    assert contract_symbol("SPX", leg) == "SPXW261218P06000000"


@pytest.mark.parametrize(
    ("symbol", "underlying"),
    [
        ("AAPL", "AAPL"),
        ("AAPL261218C00250000", "AAPL"),
        ("AAPL  261218C00250000", "AAPL"),
        ("brk-b", "BRKB"),
        ("BRK.B", "BRKB"),
        ("BRKB261218C00500000", "BRKB"),
        ("SPX", "SPX"),
        ("SPXW261218P06000000", "SPX"),
        ("VIXW261216C00020000", "VIX"),
        ("NDXP261218C20000000", "NDX"),
        ("CSGP1251017P00001000", "CSGP"),
        ("CSGP1", "CSGP"),
        ("XSP261218P00600000", "XSP"),
    ],
)
def test_shares_contracts_and_roots_of_one_underlying_have_one_name(symbol: str, underlying: str) -> None:
    """Share classes, index roots and adjusted roots have the name of their underlying."""
    assert underlying_of(symbol) == underlying
