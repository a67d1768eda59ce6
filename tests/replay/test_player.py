"""A replay equals its recording at every look, whatever was recorded and at any speed."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

import msgspec

from options_helper.recording.file_format import RecordingReader, read_recording
from options_helper.recording.inspection import find_leaks
from options_helper.recording.records import Digest, Looked, Received, Record
from options_helper.replay.player import Look, describe_looks, play
from tests.replay.studio import CALL, SECRETS, Studio, recording

pytestmark = pytest.mark.integration

STREAMS = ("stocks", "options", "fills")
ROUTES = ("/v2/orders", "/v2/account", "/v2/positions", "/v2/clock", "/v1beta1/options", "/v2/stocks")


def differences(looks: list[Look]) -> dict[str, int]:
    """Return how many looks differ, by part."""
    return dict(Counter(part for look in looks for part in look.differs))


def test_a_session_with_losses_is_equal_at_every_look(tmp_path: Path) -> None:
    """Prices, tables, totals, fills, health and alerts are equal, even in a second run of the process."""
    with recording(tmp_path, order_interval_seconds=0.05) as studio:
        for loss in range(4):
            studio.look_until(lambda _live: studio.is_running("fills"))
            seen = len(studio.live.fills)
            studio.look_until(lambda live, seen=seen: len(live.fills) > seen)
            if loss < 3:
                studio.simulator.drop("fills")
                studio.look_until(lambda live, loss=loss: live.reconnect_attempts["fills"] > loss)
        studio.look_until(lambda live: live.broker is not None and not live.fill_gaps)
        studio.restart()
        studio.look_until(lambda live: studio.is_running(*STREAMS) and live.broker)
        studio.look(10)
    looks: list[Look] = []
    digests: list[dict[str, str]] = []
    for path in sorted(tmp_path.iterdir()):
        found = list(read_recording(path))
        looks += play(found)
        digests += (record.parts for record in found if isinstance(record, Digest))
    assert differences(looks) == {}
    # On a busy computer, a few looks found no moment between two events.
    assert studio.looks >= len(looks) == len(digests) > studio.looks / 2
    for part in ("prices", "positions", "legs", "totals", "fills", "account", "health"):
        assert len({digest[part] for digest in digests}) > 1, part


def test_differences_are_named(tmp_path: Path) -> None:
    """A changed price is found in the following looks, with the names of the affected parts."""
    with recording(tmp_path, tick_seconds=0) as studio:
        studio.look_until(lambda _live: studio.is_running(*STREAMS))
        studio.simulator.push_quote(CALL, 4.0, 4.2)
        studio.look_until(lambda live: CALL in live.option_quotes and live.option_quotes[CALL].bid_price == 4)
        studio.look()
    changed = [
        msgspec.structs.replace(record, messages=[_with_other_bid(each) for each in record.messages])
        if isinstance(record, Received)
        else record
        for record in read_recording(studio.path)
    ]
    looks = list(play(changed))
    assert not looks[0].differs
    assert list(describe_looks(looks[:1])) == ["Equal at each of 1 looks."]
    assert next(describe_looks(looks)).endswith(f"of {len(looks)} looks differ:")
    assert set(looks[-1].differs) == {"prices", "positions", "structures", "legs", "underlyings", "totals"}


def _with_other_bid(message: bytes) -> bytes:
    """Return a message with a different bid in place of 4 dollars."""
    return message.replace(b"bp\xcb\x40\x10\x00", b"bp\xcb\x40\x0f\x00")


ACTIONS = st.one_of(
    st.tuples(st.just("ticks"), st.integers(1, 30)),
    st.tuples(st.just("fills"), st.integers(1, 3)),
    st.tuples(st.just("drop"), st.sampled_from(STREAMS)),
    st.tuples(st.just("refuse"), st.sampled_from(STREAMS)),
    st.tuples(st.just("rest"), st.sampled_from(ROUTES)),
    st.tuples(st.just("limit"), st.sampled_from(ROUTES)),
    st.tuples(st.just("unreadable"), st.sampled_from(STREAMS)),
    st.tuples(st.just("status"), st.sampled_from("HT")),
    st.tuples(st.just("correct"), st.floats(1, 9)),
)
CONFIGS = st.fixed_dictionaries(
    {"stream_stocks": st.booleans(), "stream_options": st.booleans(), "backfill": st.booleans()}
)


def act(studio: Studio, kind: str, argument: object) -> None:  # noqa: C901 - a line for each kind
    """Let something happen to the session."""
    simulator = studio.simulator
    match kind, argument:
        case "ticks", int(steps):
            simulator.tick(steps)
        case "fills", int(number):
            for _ in range(number):
                simulator.fill_now(CALL)
        case "drop", str(stream):
            simulator.drop(stream)
        case "refuse", str(stream):
            simulator.faults.set(stream, http_status=503)
            simulator.drop(stream)
            studio.look(3)
            simulator.faults.clear(stream)
        case "rest", str(path):
            simulator.faults.rest(path=path, status=500, times=2)
            simulator.drop("fills")
        case "limit", str(path):
            simulator.faults.rest(path=path, status=429, times=1)
            simulator.drop("options")
        case "unreadable", str(stream):
            simulator.send_raw(stream, b"\xc1 or {half of a mess")
        case "status", str(code):
            simulator.push_status("AAPL", code)
        case "correct", float(price):
            simulator.push_trade("AAPL", 250.0)
            simulator.correct_trade("AAPL", price)


# Without shrinking: each try takes seconds.
@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(config=CONFIGS, actions=st.lists(ACTIONS, min_size=1, max_size=8), cut=st.floats(0.2, 1.0))
def test_any_session_is_equal_at_every_look(
    config: dict[str, bool], actions: list[tuple[str, object]], cut: float
) -> None:
    """At 1 and 100 times the speed, every look is equal, even in a file that was cut short."""
    with TemporaryDirectory() as folder:
        with recording(Path(folder), config=config) as studio:
            studio.look(3)
            for action in actions:
                act(studio, *action)
                studio.look(3)
            studio.look_until(lambda _live: studio.is_running("fills"))
        content = studio.path.read_bytes()
        assert find_leaks(studio.path, SECRETS) == []
    whole = read(content)
    for speed in (1.0, 100.0):
        assert differences(list(play(whole, speed))) == {}
    part = read(content[: int(len(content) * cut)])
    looks = list(play(part))
    assert differences(looks) == {}
    assert len(looks) == count(part, Digest) <= count(whole, Looked)


def read(content: bytes) -> list[Record]:
    """Return the records of a file, up to its last whole one."""
    return list(RecordingReader(io.BytesIO(content)).records())


def count(records: list[Record], kind: type[Record]) -> int:
    """Return the number of records of a kind."""
    return sum(isinstance(record, kind) for record in records)
