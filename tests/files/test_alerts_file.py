"""Loading `alerts.json`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from options_helper.analysis.alerts.rules import AlertMetric, AlertRule, Direction
from options_helper.errors import AlertsFileError
from options_helper.files.alerts_file import AlertsFile, alerts_path_for, dump_alert_rules, load_alert_rules

RULES = {
    "alerts": [
        {
            "id": "put loss",
            "position": "spy-put",
            "metric": "pnl_abs",
            "comparison": "below",
            "threshold": -800,
            "pending_seconds": 10,
        },
        {"metric": "fill"},
    ]
}


def _write(folder: Path, text: str) -> Path:
    path = folder / "alerts.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_rules_are_read_in_their_order(tmp_path: Path) -> None:
    """Every field is read, and a rule without an id gets one."""
    first, second = load_alert_rules(_write(tmp_path, json.dumps(RULES)))
    assert first == AlertRule(
        id="put loss",
        position="spy-put",
        metric=AlertMetric.PNL_ABS,
        comparison=Direction.BELOW,
        threshold=-800.0,
        pending_seconds=10.0,
    )
    assert (second.id, second.metric, second.position) == ("fill", AlertMetric.FILL, None)


def test_a_long_positions_name_makes_no_overlong_id(tmp_path: Path) -> None:
    """Ids made from long texts are shortened, and stay distinct."""
    rules = [{"metric": "fill", "position": "p" * 300 + middle + "p" * 300} for middle in "12"]
    first, second = load_alert_rules(_write(tmp_path, json.dumps({"alerts": rules})))
    assert max(len(first.id), len(second.id)) <= 200
    assert first.id != second.id


def test_no_file_means_no_rules(tmp_path: Path) -> None:
    """A portfolio without an alerts file has no rules."""
    assert load_alert_rules(tmp_path / "alerts.json") == []


def test_the_alerts_of_a_portfolio_are_beside_it(tmp_path: Path) -> None:
    """The file is always named alerts.json."""
    assert alerts_path_for(tmp_path / "mine.json") == tmp_path / "alerts.json"


def test_a_byte_order_mark_is_not_an_error(tmp_path: Path) -> None:
    """Files saved by Windows editors are read."""
    path = tmp_path / "alerts.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(RULES).encode())
    assert len(load_alert_rules(path)) == 2


def test_rules_written_for_download_are_read_back_as_they_were(tmp_path: Path) -> None:
    """A dumped file is read back unchanged."""
    rules = load_alert_rules(_write(tmp_path, json.dumps(RULES)))
    assert load_alert_rules(_write(tmp_path, dump_alert_rules(rules))) == rules


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("{", "line 1, column 2", "this is not JSON: a key in double quotes is expected here"),
        ("[" * 100_000, "", "nested too deeply"),
        ("[]", "", "must be an object"),
        ('{"alert": []}', "", 'not a known key; did you mean "alerts"?'),
        ('{"alerts": 3}', "field alerts", "must be a list of at most 200 alerts"),
        ('{"alerts": [3]}', "alert 1", "must be an object such as"),
        (
            '{"alerts": [{"metric": "fill"}, {"metric": "pnl"}]}',
            "alert 2, field metric",
            "must be one of pnl_abs",
        ),
        ('{"alerts": [{"metric": "fill", "thresh": 1}]}', "alert 1", 'did you mean "threshold"?'),
        (
            '{"alerts": [{"metric": "mark", "comparison": "above", "threshold": 1}]}',
            "alert 1",
            "needs a position",
        ),
        (
            '{"alerts": [{"metric": "dte", "comparison": "over", "threshold": 1}]}',
            "field comparison",
            "above or below",
        ),
        (
            '{"alerts": [{"metric": "dte", "comparison": "below", "threshold": NaN}]}',
            "field threshold",
            "a number",
        ),
        ('{"alerts": [{"metric": "fill"}, {"metric": "fill"}]}', "alert 2, field id", "the same id"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, place: str, reason: str) -> None:
    """The error names the file, the place and what a correct value looks like."""
    path = _write(tmp_path, text)
    with pytest.raises(AlertsFileError) as caught:
        load_alert_rules(path)
    assert place in caught.value.place
    assert reason in caught.value.reason
    assert str(caught.value).startswith(f"{path}: ")


def test_an_unreadable_file_is_reported_as_such(tmp_path: Path) -> None:
    """A directory in the file's place, or bytes that are not text, raise an error about the file."""
    (tmp_path / "alerts.json").mkdir()
    with pytest.raises(AlertsFileError, match="this is a directory"):
        load_alert_rules(tmp_path / "alerts.json")
    other = tmp_path / "other.json"
    other.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AlertsFileError, match="not UTF-8"):
        load_alert_rules(other)


def test_a_file_is_read_by_itself_once_it_is_readable_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unchanged file is read once it becomes readable; a lasting failure is reported once."""
    path = _write(tmp_path, json.dumps(RULES))

    def refuse(*_args: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as locked:
        locked.setattr("options_helper.files.reading.os.open", refuse)
        watched = AlertsFile(tmp_path / "portfolio.json")
        rules, problem = watched.read()
        assert (rules, "permission to read this file is denied" in problem) == ([], True)
        assert [watched.read_if_changed() for _ in range(3)] == [None, None, None]
    rules, problem = watched.read_if_changed() or ([], "nothing is new")
    assert (len(rules), problem) == (2, "")
    assert watched.read_if_changed() is None
    path.write_text(dump_alert_rules(rules[:1]), encoding="utf-8")
    with monkeypatch.context() as locked:
        locked.setattr("options_helper.files.reading.os.open", refuse)
        first, second, third = (watched.read_if_changed() for _ in range(3))
        assert (first, third) == (None, None)
        assert second is not None
        assert "permission to read this file is denied" in second[1]
    assert watched.read_if_changed() == (rules[:1], "")


@pytest.mark.parametrize("field", ["threshold", "pending_seconds"])
@pytest.mark.parametrize("value", [True, "12"])
def test_only_a_number_is_a_number(tmp_path: Path, field: str, value: object) -> None:
    """`true` is not a threshold of 1."""
    rule = {"metric": "pnl_abs", "comparison": "above", "threshold": 1, field: value}
    with pytest.raises(AlertsFileError, match="must be a number"):
        load_alert_rules(_write(tmp_path, json.dumps({"alerts": [rule]})))


def test_a_number_with_thousands_of_digits_is_reported(tmp_path: Path) -> None:
    """A number of thousands of digits raises the file's own error and no other."""
    text = '{"alerts": [{"metric": "mark", "threshold": ' + "9" * 5000 + "}]}"
    with pytest.raises(AlertsFileError, match="thousands of digits"):
        load_alert_rules(_write(tmp_path, text))


@pytest.mark.parametrize(
    "document",
    [
        {"type": "service_account", "private_key": "s3cr3t-VALUE", "token": ["s3cr3t-VALUE"]},
        {"alerts": [{"metric": "s3cr3t-VALUE"}]},
        {"alerts": [{"metric": "fill", "s3cr3t-VALUE": 1}]},
        {"alerts": [{"id": "s3cr3t-VALUE", "metric": "fill"}, {"id": "s3cr3t-VALUE", "metric": "fill"}]},
        {"alerts": "s3cr3t-VALUE"},
    ],
    ids=str,
)
def test_an_error_quotes_nothing_from_the_file(tmp_path: Path, document: object) -> None:
    """If a file of keys is in the place of the alerts file, the error reveals nothing from it."""
    with pytest.raises(AlertsFileError) as caught:
        load_alert_rules(_write(tmp_path, json.dumps(document)))
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_repeated_key_is_refused(tmp_path: Path) -> None:
    """A repeated key is refused, because JSON would silently keep the last of two thresholds."""
    text = '{"alerts": [{"metric": "dte", "comparison": "below", "threshold": 1, "threshold": 2}]}'
    with pytest.raises(AlertsFileError, match='alert 1: the key "threshold"'):
        load_alert_rules(_write(tmp_path, text))


def test_more_alerts_than_a_page_can_show_are_refused(tmp_path: Path) -> None:
    """The error names the limit."""
    rules = [{"id": str(n), "metric": "fill"} for n in range(201)]
    with pytest.raises(AlertsFileError, match="at most 200 alerts"):
        load_alert_rules(_write(tmp_path, json.dumps({"alerts": rules})))


@pytest.mark.parametrize("kind", ["pipe", "device", "loop"])
def test_alerts_are_read_only_from_regular_files(tmp_path: Path, kind: str) -> None:
    """A pipe, an endless device and a loop of links are refused at once, each with its reason."""
    path = tmp_path / "alerts.json"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path)
    words = {"pipe": "named pipe", "device": "a device", "loop": "leads back to itself"}
    rules, problem = AlertsFile(tmp_path / "portfolio.json").read()
    assert (rules, words[kind] in problem) == ([], True)
