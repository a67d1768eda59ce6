"""Tests for `options-helper recording info`, `verify` and `export`."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from options_helper import cli
from options_helper.recording import records
from options_helper.recording.file_format import HEADER, encode_records, pack_block

KEY = "PKMARKED0123456789AB"
ORDER_ID = "61e69015-8549-4bfd-b9c3-01e75843f47d"
REPLACED = "00000000-0000-4000-8000-61e690158549"
BEGAN = records.Began(0, 0, {"options-helper": "0.1.0", "python": "3.11.7"})
FILLS = records.Connecting(1_796_000_000_000_000, 1_000_000, 1, "fills")
CLOSED = records.Closed(1_796_000_060_000_000, 61_000_000, "the run ended")
RUNNER = CliRunner()


def save(folder: Path, *some: records.Record) -> str:
    """Return the name of a recording with these records."""
    path = folder / "a.ohrec"
    path.write_bytes(HEADER + pack_block(encode_records(some)))
    return str(path)


def trading(body: bytes) -> records.Answer:
    """Return an answer from the trading host."""
    return records.Answer(0, 2_000_000, 0, "trading", "/v2/account", {}, 200, body)


def test_info_describes_a_recording(tmp_path: Path) -> None:
    """`info` shows times, versions, frames and losses per stream, requests, gaps and the ending."""
    received = records.Received(0, 2_000_000, 1, [b"four", b"and"])
    lost = records.Ended(0, 3_000_000, 1, "interrupted", "", "lost", None, 1006)
    left_out = records.LeftOut(0, 4_000_000, 7, "the computer was too slow")
    name = save(tmp_path, BEGAN, FILLS, received, lost, trading(b"{}"), left_out, CLOSED)
    result = RUNNER.invoke(cli.app, ["recording", "info", name])
    assert result.stdout.splitlines() == [
        "From 2026-11-30 00:53:20 UTC to 2026-11-30 00:54:20 UTC, 60 s",
        "Written by options-helper 0.1.0, python 3.11.7",
        "fills: 2 frames, 7 bytes, 1 connection, 1 lost or refused",
        "trading host: 1 request",
        "Not complete: 7 records were left out.",
        "Nothing is cut off.",
    ]
    assert RUNNER.invoke(cli.app, ["recording", "info", save(tmp_path, BEGAN, FILLS)]).stdout.endswith(
        "Cut short: the recording was not closed.\n"
    )


def test_info_has_the_times_of_the_last_minutes(tmp_path: Path) -> None:
    """The older records at the beginning of a file saved from memory do not make it longer."""
    began = records.Began(0, 0, {}, since=31_000_000)
    received = records.Received(1_796_000_030_000_000, 31_000_000, 1, [b"x"])
    result = RUNNER.invoke(cli.app, ["recording", "info", save(tmp_path, began, FILLS, received, CLOSED)])
    assert result.stdout.splitlines()[0] == "From 2026-11-30 00:53:50 UTC to 2026-11-30 00:54:20 UTC, 30 s"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (records.PortfolioText(0, 0, KEY.encode()), "a key from this machine's settings"),
        (records.Received(0, 0, 1, [b"PKABCDEFGHIJ01234567"]), "looks like an Alpaca key"),
        (records.Received(0, 0, 1, [b'{"note": "PA3ABCDEFGHI"}']), "looks like an account number"),
        (records.Received(0, 0, 1, [b'{"id": "mine-7"}']), "an account number or an order id"),
        (trading(f'[{{"asset_id": "{ORDER_ID}"}}]'.encode()), "an account number or an order id"),
        (trading(b'{"account_number": 123456789}'), "an account number or an order id"),
        (records.LeftOut(0, 0, 1, "the computer was too slow"), "not complete: the computer was too slow"),
    ],
)
def test_verify_finds_secrets_in_a_recording(tmp_path: Path, record: records.Record, words: str) -> None:
    """Each leak is a sentence, and the exit status is 1."""
    name = save(tmp_path, BEGAN, FILLS, record, CLOSED)
    result = RUNNER.invoke(cli.app, ["recording", "verify", name], env={"APCA_API_KEY_ID": KEY})
    assert words in result.stdout
    assert result.exit_code == 1


def test_verify_accepts_a_sound_recording(tmp_path: Path) -> None:
    """Replaced identifiers, earlier times and market data do not count as leaks."""
    sound = [
        records.Received(0, 0, 1, [b'{"order": {"id": "%s"}}' % REPLACED.encode(), b"(7 bytes left out)"]),
        trading(b'[{"id": "20261120101010123::%s", "order_id": null}]' % REPLACED.encode()),
        records.Answer(0, 0, 0, "data", "/v2/x", {}, 200, b'{"id": "%s"}' % ORDER_ID.encode()),
    ]
    result = RUNNER.invoke(cli.app, ["recording", "verify", save(tmp_path, BEGAN, FILLS, *sound, CLOSED)])
    assert result.exit_code == 0
    assert result.stdout == "No key, no account number and no order id was found.\n"


@pytest.mark.parametrize("command", ["verify", "export", "replay"])
@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (b"", "Cut short: the recording was not closed."),
        (b"\0", "Cut short: The end of the file is missing."),
        (pack_block(b"\x93\x01\x02\x03"), "Cut short: Part of the file is not made of known records"),
    ],
)
def test_a_recording_that_was_cut_short_is_named_as_such(
    tmp_path: Path, command: str, rest: bytes, words: str
) -> None:
    """Every command reports an incomplete file, and verify exits with 1."""
    name = save(tmp_path, BEGAN, FILLS)
    with Path(name).open("ab") as file:
        file.write(rest)
    result = RUNNER.invoke(cli.app, ["recording", command, name])
    assert words in result.output
    assert "No key" not in result.output
    assert result.exit_code == (0 if command == "export" else 1)


def test_export_prints_every_record_as_json(tmp_path: Path) -> None:
    """Messages in msgpack and JSON are decoded, and others are in base64."""
    message = msgspec.msgpack.encode([{"T": "q", "S": "AAPL", "t": msgspec.msgpack.Ext(5, b"x")}])
    name = save(tmp_path, FILLS, records.Received(0, 0, 1, [message, b'{"a": 1}', b"\xc1"]))
    lines = [
        json.loads(line) for line in RUNNER.invoke(cli.app, ["recording", "export", name]).stdout.splitlines()
    ]
    assert [line["record"] for line in lines] == ["connecting", "received"]
    assert lines[1]["messages"][0][0]["S"] == "AAPL"
    assert lines[1]["messages"][1:] == [{"a": 1}, "wQ=="]


@pytest.mark.parametrize("command", ["info", "verify", "export"])
def test_any_other_file_is_explained_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, command: str
) -> None:
    """A file that is not a recording causes one sentence and exit status 1."""
    (tmp_path / "x").write_text("x")
    monkeypatch.setattr("sys.argv", ["options-helper", "recording", command, str(tmp_path / "x")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "This is not a recording of options-helper.\n"
