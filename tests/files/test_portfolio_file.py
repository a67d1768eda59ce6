"""Loading portfolio.json: what is accepted, and each error with its place and a correct value."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.errors import PortfolioError
from options_helper.files.file_version import FileVersion, file_version
from options_helper.models import EquityPosition, MultiLegPosition, Portfolio, Position
from options_helper.portfolio_file import MAX_BYTES, load_portfolio, parse_portfolio, read_portfolio_file

SAMPLE = Path(__file__).resolve().parents[2] / "portfolio.json"
OPTION: dict[str, Any] = {
    "id": "aapl-1",
    "symbol": "AAPL",
    "option_type": "call",
    "expiry": "2026-12-18",
    "strike": 250,
    "contracts": 1,
    "cost_basis": 3.15,
}
LEG: dict[str, Any] = {
    "side": "long",
    "option_type": "put",
    "expiry": "2026-12-18",
    "strike": 90,
    "contracts": 2,
}
STRUCTURE: dict[str, Any] = {"id": "ic-1", "symbol": "SPY", "legs": [LEG, LEG | {"side": "short"}]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A place for a portfolio."""
    return tmp_path / "portfolio.json"


def refusal(file: Path, content: str | bytes | dict[str, Any]) -> PortfolioError:
    """Return the error that loading this content raises."""
    data = json.dumps(content) if isinstance(content, dict) else content
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(PortfolioError) as caught:
        load_portfolio(file)
    assert caught.value.path == file
    assert str(caught.value).startswith(f"{file}: ")
    return caught.value


def position_refusal(file: Path, *positions: object) -> PortfolioError:
    """Return the error that loading a portfolio of these positions raises."""
    return refusal(file, {"positions": list(positions)})


def test_the_sample_holds_every_kind_of_position() -> None:
    """The project's sample loads and shows each kind of position, far from its expiry."""
    positions = {position.id: position for position in load_portfolio(SAMPLE).positions}
    assert {type(position) for position in positions.values()} == {
        Position,
        MultiLegPosition,
        EquityPosition,
    }
    assert any(
        isinstance(p, Position) and p.contracts < 0 and p.option_type == "put" for p in positions.values()
    )
    assert any(p.symbol in {"BRK-B", "BRK.B"} for p in positions.values())
    legs = [leg for p in positions.values() if isinstance(p, MultiLegPosition) for leg in p.option_legs]
    singles = [p for p in positions.values() if isinstance(p, Position)]
    assert min(terms.expiry for terms in [*legs, *singles]) >= dt.date(2027, 6, 1)
    assert {len(p.legs) for p in positions.values() if isinstance(p, MultiLegPosition)} >= {2, 4}


def test_a_file_with_a_byte_order_mark_loads(file: Path) -> None:
    """A byte order mark is ignored, and the path may be a string."""
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"cash": 5, "positions": [OPTION]}).encode())
    portfolio = load_portfolio(str(file))
    assert (portfolio.cash, portfolio.positions[0].id) == (5.0, "aapl-1")


def test_unknown_keys_do_no_harm(file: Path) -> None:
    """Other tools' keys are ignored at every level, whatever they contain."""
    leg = LEG | {"ratio": 1}
    document = {"risk_profile": {"a": [1]}, "positions": [STRUCTURE | {"legs": [leg, leg], "note": None}]}
    file.write_text(json.dumps(document))
    assert load_portfolio(file) == Portfolio.model_validate(document)


def test_a_tilde_is_the_home_directory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path may start with a tilde; an unknown home directory means a missing file."""
    monkeypatch.setenv("HOME", str(file.parent))
    file.write_text("{}")
    assert load_portfolio("~/portfolio.json") == Portfolio()
    with pytest.raises(PortfolioError, match="no such file"):
        load_portfolio("~nobody-of-that-name/portfolio.json")


def test_the_file_is_only_read(file: Path) -> None:
    """A file without write permission loads, and its bytes and times do not change."""
    file.write_text(json.dumps({"positions": [OPTION]}))
    file.chmod(stat.S_IRUSR)
    before = file.read_bytes(), file_version(file)
    load_portfolio(file)
    assert (file.read_bytes(), file_version(file)) == before


def test_a_portfolio_knows_when_its_file_was_saved(file: Path) -> None:
    """The version belongs to the bytes read, changes when the file is saved, and has the time of saving."""
    file.write_text("{}")
    os.utime(file, ns=(0, 1_700_000_000_000_000_000))
    content, version = read_portfolio_file(str(file))
    assert parse_portfolio(file, content) == Portfolio()
    assert version == file_version(file) == FileVersion(1_700_000_000_000_000_000, 2)
    assert version.saved_at == dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC)
    file.write_text('{"cash": 1}')
    assert file_version(file) != version


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.json", "no such file"),
        ("a\0b", "NUL character"),
        ("x" * 5000, r"5,\d+ characters, more than this system allows"),
        ("file/portfolio.json", "part of this path is a file"),
        ("\udcff.json", "bytes that are not UTF-8"),
    ],
    ids=["missing", "NUL", "long", "below a file", "not UTF-8"],
)
def test_an_impossible_path_has_its_own_reason(tmp_path: Path, name: str, words: str) -> None:
    """An impossible path has no version, and loading it raises a printable sentence."""
    (tmp_path / "file").touch()
    assert file_version(tmp_path / name) is None
    with pytest.raises(PortfolioError, match=words) as caught:
        load_portfolio(tmp_path / name)
    assert str(caught.value).isprintable()


def test_a_missing_file_names_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a relative path, the error names the directory."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PortfolioError, match="no such file") as caught:
        load_portfolio("portfolio.json")
    assert str(tmp_path) in caught.value.reason


def test_a_directory_is_refused(tmp_path: Path) -> None:
    """The error says that the path is a directory."""
    with pytest.raises(PortfolioError, match="directory"):
        load_portfolio(tmp_path)


def test_a_pipe_is_refused_without_waiting(file: Path) -> None:
    """A named pipe is not opened, because it may never have a writer."""
    os.mkfifo(file)
    with pytest.raises(PortfolioError, match="a named pipe, not a regular file"):
        load_portfolio(file)


def test_a_loop_of_links_is_refused(file: Path) -> None:
    """The error says that the link leads to itself."""
    file.symlink_to(file)
    with pytest.raises(PortfolioError, match="symbolic link leads back to itself"):
        load_portfolio(file)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_a_device_is_refused_unread(file: Path) -> None:
    """A link to an endless device is refused before a byte is read."""
    file.symlink_to("/dev/zero")
    with pytest.raises(PortfolioError, match="a device, not a regular file"):
        load_portfolio(file)


def test_a_deleted_working_directory_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a deleted working directory, a relative path cannot be found, and the error says why."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(PortfolioError, match="working directory no longer exists"):
        load_portfolio("portfolio.json")


@pytest.mark.parametrize(
    "document",
    [
        {"base_currency": ["s3cr3t"], "cash": "s3cr3t-VALUE"},
        {"positions": "s3cr3t-VALUE"},
        {"positions": ["s3cr3t-VALUE"]},
        {"positions": [OPTION | {"symbol": "s3cr3t_VALUE"}, OPTION | {"id": "b", "strike": "s3cr3t-VALUE"}]},
        {"positions": [OPTION | {"root": "s3cr3t_VALUE", "expiry": "s3cr3t-VALUE"}]},
        "s3cr3t-VALUE",
    ],
    ids=str,
)
def test_an_error_quotes_no_text_from_the_file(file: Path, document: object) -> None:
    """Only numbers, dates and known words are quoted, because the file may contain keys."""
    assert "s3cr3t" not in str(refusal(file, json.dumps(document)))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("12/18/2026", '"12/18/2026"'),
        ("2026-02-30", '"2026-02-30"'),
        ("$250.00", '"$250.00"'),
        ("PUTS", '"PUTS"'),
        (-5, "-5"),
        (True, "true"),
        ("", "empty text"),
        ("sk-ant-0123", "text of 11 characters"),
        (10**30, "a number of 31 digits"),
    ],
)
def test_values_that_cannot_be_secrets_are_shown(file: Path, value: object, shown: str) -> None:
    """A wrong number, date or known word is quoted."""
    field = "expiry" if isinstance(value, int) else "strike"
    assert f"not {shown}" in position_refusal(file, OPTION | {field: value}).reason


def test_a_file_without_permission_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that permission to read the file is denied."""
    file.write_text("{}")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("options_helper.files.reading.os.open", refuse)
    with pytest.raises(PortfolioError, match="permission to read this file is denied"):
        load_portfolio(file)


def test_a_file_of_fifty_megabytes_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the limit and one byte is read."""
    with file.open("wb") as stream:
        stream.truncate(50_000_000)
    sizes: list[int] = []
    read = os.read

    def read_and_count(descriptor: int, most: int) -> bytes:
        part = read(descriptor, most)
        sizes.append(len(part))
        return part

    monkeypatch.setattr("options_helper.files.reading.os.read", read_and_count)
    with pytest.raises(PortfolioError, match=r"50\.0 MB.*limit is 10 MB"):
        load_portfolio(file)
    assert sum(sizes) == MAX_BYTES + 1


def test_a_pipe_that_replaces_a_file_is_refused_without_waiting(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks before opening are repeated on the opened file."""
    file.write_text("{}")

    def swap_and_open(path: Path, flags: int) -> int:
        file.unlink()
        os.mkfifo(file)
        return open_file(path, flags)

    open_file = os.open
    monkeypatch.setattr("options_helper.files.reading.os.open", swap_and_open)
    with pytest.raises(PortfolioError, match="named pipe"):
        load_portfolio(file)


def test_a_file_that_grows_while_it_is_opened_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most the limit is read, whatever the size was before."""
    file.write_bytes(b" " * (MAX_BYTES + 5))
    small = os.stat_result((stat.S_IFREG | 0o600, 0, 0, 1, 0, 0, 2, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda *_, **__: small)
    monkeypatch.setattr("options_helper.files.reading.os.fstat", lambda _: small)
    with pytest.raises(PortfolioError, match="MB"):
        load_portfolio(file)


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ("", "", "empty"),
        (" \n ", "", "empty"),
        ('{\n  "cash": 1,,\n}', "line 2, column 13", "double quotes"),
        ('{"cash": 1\n "positions": []}', "line 2, column 2", "comma"),
        ('{"cash" 1}', "line 1, column 9", "colon"),
        ('{"cash": call}', "line 1, column 10", "value is expected"),
        ('{"cash": 1} x', "line 1, column 13", "ended before"),
        ('{"cash": "1}', "line 1, column 10", "closing double quote"),
        ('{"base_currency": "\n"}', "line 1, column 20", "line break"),
        (b'{"a":\n"\xc3\xa4\xff"}', "line 2, column 3", "UTF-8"),
        (b'\xef\xbb\xbf{"\xff"}', "line 1, column 3", "UTF-8"),
        ('{"cash": 1}'.encode("utf-16"), "line 1, column 1", "UTF-8"),
        ("[" * 200_000, "", "nested"),
        ('{"cash": ' + "9" * 5000 + "}", "", "digits"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_invalid_json_has_a_line_and_a_column(
    file: Path, content: str | bytes, place: str, words: str
) -> None:
    """The error gives line, column and problem in words."""
    error = refusal(file, content)
    assert error.place == place
    assert words in error.reason


@pytest.mark.parametrize("document", ["[]", "null", "17", '"positions"', "true"])
def test_a_document_is_an_object(file: Path, document: str) -> None:
    """Any other JSON is refused, and the error shows the shape of a portfolio."""
    assert '{"cash": 0, "positions": []}' in refusal(file, document).reason


@pytest.mark.parametrize(
    ("field", "value", "right"),
    [
        ("id", 7, "text"),
        ("id", "", "text"),
        ("symbol", None, '"BRK-B"'),
        ("symbol", "A_B", '"BRK-B"'),
        ("option_type", "straddle", '"call" or "put"'),
        ("expiry", "2026-02-30", '"2026-12-18"'),
        ("expiry", "12/18/2026", '"2026-12-18"'),
        ("expiry", "2026-12-18T10:00:00", '"2026-12-18"'),
        ("expiry", 20261218, '"2026-12-18"'),
        ("strike", 0, "above 0"),
        ("strike", -5, "above 0"),
        ("strike", True, "above 0"),
        ("strike", "250", "no quotes"),
        ("strike", float("nan"), "above 0"),
        ("strike", float("inf"), "above 0"),
        ("strike", [250], "not a list of 1"),
        ("strike", {}, "not an object"),
        ("contracts", 0, "other than 0"),
        ("contracts", 1.5, "whole number"),
        ("contracts", False, "whole number"),
        ("contracts", 2_000_000, "no more than 1,000,000"),
        ("contracts", -2_000_000, "no more than 1,000,000"),
        ("strike", 1e10, "no more than 1,000,000,000"),
        ("cost_basis", -1, "0 or more"),
        ("cost_basis", float("-inf"), "0 or more"),
        ("multiplier", "100", "no quotes"),
        ("opened_at", "soon", '"2026-11-02"'),
        ("root", 3, '"SPXW"'),
    ],
)
def test_a_wrong_value_is_placed_and_a_right_one_shown(
    file: Path, field: str, value: object, right: str
) -> None:
    """The error has the position's id, the field, the value found and a correct value."""
    error = position_refusal(file, OPTION | {"id": "good"}, OPTION | {field: value})
    assert error.place.endswith(f"field {field}")
    assert error.place.startswith('position "aapl-1"' if field != "id" else "position 2 (which has no id)")
    assert right in error.reason
    assert "\n" not in error.reason


@pytest.mark.parametrize("field", ["symbol", "expiry", "strike", "contracts", "cost_basis", "option_type"])
def test_a_missing_field_is_named(file: Path, field: str) -> None:
    """The error names the missing field and its meaning."""
    fields = {key: value for key, value in OPTION.items() if key != field}
    error = position_refusal(file, fields)
    assert error.place == f'position "aapl-1", field {field}'
    assert error.reason.startswith("is missing; it must be ")


def test_a_misspelt_field_is_found(file: Path) -> None:
    """The error names an unknown key that resembles the missing one."""
    fields = {key: value for key, value in OPTION.items() if key != "strike"} | {"strikes": 250}
    assert 'did you misspell it as "strikes"?' in position_refusal(file, fields).reason


def test_a_misspelt_list_of_positions_is_not_an_empty_portfolio(file: Path) -> None:
    """A file with its positions under a different name is refused; an empty list is not."""
    error = refusal(file, {"cash": 5, "postions": [OPTION]})
    assert error.place == "field postions"
    assert 'did you mean "positions"?' in error.reason
    file.write_text('{"cash": 5, "tags": ["a"]}')
    assert load_portfolio(file).positions == []


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"cash": "much"}, "field cash"),
        ({"cash": float("nan")}, "field cash"),
        ({"positions": {}}, "field positions"),
        ({"positions": None}, "field positions"),
        ({"base_currency": 1}, "field base_currency"),
        ({"positions": [17]}, "position 1 (which has no id)"),
        ({"positions": [STRUCTURE | {"legs": [LEG]}]}, 'position "ic-1", field legs'),
        ({"positions": [STRUCTURE | {"legs": "two"}]}, 'position "ic-1", field legs'),
        ({"positions": [STRUCTURE | {"legs": None}]}, 'position "ic-1", field legs'),
        ({"positions": [STRUCTURE | {"net_debit": "12"}]}, 'position "ic-1", field net_debit'),
        ({"positions": [STRUCTURE | {"legs": [LEG, None]}]}, 'position "ic-1", leg 2'),
        (
            {"positions": [STRUCTURE | {"legs": [LEG, LEG | {"contracts": -1}]}]},
            'position "ic-1", leg 2, field contracts',
        ),
        (
            {"positions": [STRUCTURE | {"legs": [{"side": "up", "shares": 5}, LEG]}]},
            'position "ic-1", leg 1, field side',
        ),
        (
            {"positions": [{"id": "eq", "symbol": "A", "shares": 0, "cost_basis": 1}]},
            'position "eq", field shares',
        ),
    ],
    ids=str,
)
def test_every_level_has_its_place(file: Path, document: dict[str, Any], place: str) -> None:
    """Portfolio, position, leg and field are named, and one mistake gives one problem."""
    error = refusal(file, document)
    assert error.place == place
    assert "\n" not in error.reason


def test_ids_used_twice_are_named_with_everything_else(file: Path) -> None:
    """Ids that differ only in surrounding spaces are duplicates, and are reported with the other problems."""
    error = position_refusal(file, OPTION, OPTION | {"id": " aapl-1 ", "strike": 0}, OPTION | {"id": "b"})
    assert error.place == 'position "aapl-1"'
    assert "2 positions have this id" in error.reason
    assert "1 more problem in this file:" in error.reason
    assert "field strike" in error.reason


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ('{"cash": 1, "cash": 2}', ""),
        ('{"positions": [{"id": "a", "strike": 1, "strike": 2}]}', 'position "a"'),
        (
            '{"positions": [{"id": "a", "legs": [{}, {"side": "long", "side": "short"}]}]}',
            'position "a", leg 2',
        ),
    ],
)
def test_a_repeated_key_is_refused(file: Path, document: str, place: str) -> None:
    """JSON would silently keep the last of two equal keys, so both are refused."""
    error = refusal(file, document)
    assert error.place == place
    assert "appears here more than once" in error.reason


def test_repeated_keys_in_foreign_objects_do_no_harm(file: Path) -> None:
    """Repeated keys inside an unknown key are ignored."""
    file.write_text('{"positions": [], "other": {"a": 1, "a": NaN}}')
    assert load_portfolio(file) == Portfolio()


@pytest.mark.parametrize(
    ("entry", "place", "words"),
    [
        (OPTION | {"strike": 33.33333}, 'position "aapl-1", field strike', "tenth of a cent"),
        (OPTION | {"strike": 100_000}, 'position "aapl-1", field strike', "99,999.999"),
        (OPTION | {"symbol": "TOOLONG"}, 'position "aapl-1", field symbol', "root"),
        (OPTION | {"root": "TOOLONG"}, 'position "aapl-1", field root', "six letters"),
        (STRUCTURE | {"symbol": "TOOLONG"}, 'position "ic-1", field symbol', "root"),
        (OPTION | {"expiry": "2126-12-18"}, 'position "aapl-1", field expiry', "2000 and 2099"),
        (
            STRUCTURE | {"legs": [LEG, LEG | {"strike": 0.0001}]},
            'position "ic-1", leg 2, field strike',
            "tenth of a cent",
        ),
    ],
)
def test_terms_that_no_contract_has_are_refused(
    file: Path, entry: dict[str, Any], place: str, words: str
) -> None:
    """An option without a contract symbol is refused when the file is loaded."""
    error = position_refusal(file, OPTION | {"id": "good"}, entry)
    assert error.place == place
    assert words in error.reason
    assert "\n" not in error.reason


def test_a_long_symbol_may_own_shares_or_name_its_root(file: Path) -> None:
    """Only options need a root of at most six characters."""
    shares = {"id": "eq", "symbol": "TOOLONG", "shares": 5, "cost_basis": 1}
    covered = {
        "id": "cc",
        "symbol": "TOOLONG",
        "legs": [{"side": "long", "shares": 100}, LEG | {"root": "TOO"}],
    }
    file.write_text(json.dumps({"positions": [shares, covered]}))
    assert len(load_portfolio(file).positions) == 2


def test_many_problems_stay_readable(file: Path) -> None:
    """The first few problems are shown in full, and the others are counted."""
    error = position_refusal(file, *(OPTION | {"id": f"p{n}", "strike": 0} for n in range(500)))
    lines = str(error).splitlines()
    assert len(lines) == 8
    assert lines[1] == "499 more problems in this file:"
    assert lines[2].startswith('- position "p1", field strike: must be dollars above 0')
    assert lines[-1] == "- and 494 more"


def test_a_huge_value_is_shortened(file: Path) -> None:
    """A huge value is shortened, on one line and in the output's encoding."""
    error = position_refusal(file, OPTION | {"strike": "\n\ud800" + "9" * 10_000})
    assert len(str(error)) < 400
    assert "\n" not in str(error)
    str(error).encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=5,
)
spoilt_legs = st.builds(lambda field, value: LEG | {field: value}, st.sampled_from(sorted(LEG)), json_values)
fields = st.sampled_from([*OPTION, "legs", "shares", "net_debit", "opened_at", "multiplier", "root"])
spoilt_positions = st.builds(
    lambda entry, field, value: entry | {field: value},
    st.sampled_from([OPTION, STRUCTURE]),
    fields,
    json_values | st.lists(spoilt_legs | json_values, max_size=3),
)
documents = json_values | st.fixed_dictionaries({"positions": st.lists(spoilt_positions, max_size=3)})


@settings(deadline=None)  # it writes files
@given(document=documents)
def test_any_json_is_a_portfolio_or_an_error_in_words(
    tmp_path_factory: pytest.TempPathFactory, document: object
) -> None:
    """For any JSON, loading returns a portfolio or raises its own error."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(document))
    outcome: object
    try:
        outcome = load_portfolio(path)
    except PortfolioError as error:
        outcome = error
    assert isinstance(outcome, Portfolio) or (
        isinstance(outcome, PortfolioError) and outcome.reason and str(outcome).encode()
    )


def test_the_limit_of_digits_is_pythons_own() -> None:
    """The test with thousands of digits relies on this limit of the interpreter."""
    assert 0 < sys.get_int_max_str_digits() < 5000
