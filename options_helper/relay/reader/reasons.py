"""The reasons why a relayed stream delivers nothing, each with its cause and its next step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from options_helper.analysis.text.wording import count
from options_helper.market import StreamName, StreamState
from options_helper.relay.nats_options import REFUSED
from options_helper.relay.wire import HEARTBEAT_SECONDS, Heartbeat

SILENT_SECONDS = 4 * HEARTBEAT_SECONDS
_ADJECTIVE = {StreamName.OPTIONS: "option", StreamName.STOCKS: "stock", StreamName.FILLS: "fill"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """A reader's knowledge of its relay.

    Attributes:
        where: The address of NATS, without secrets.
        is_connected: True while NATS is reachable.
        has_jetstream: False if NATS runs without JetStream.
        late_seconds: The seconds for which this process recently read nothing, or 0.
        trouble: The last error of the connection to NATS, or "".
        mismatch: Why the relay's messages cannot be read, or "".
        denied: What this reader needs and its user may not do, or "".
        silent_seconds: The time since the last heartbeat, or since the start.
        heartbeat: The last heartbeat, None if there was none.
        refusal: Why the relay serves none of this reader's symbols, or "".
        is_mixed: True if order updates of more than one Alpaca account were read, or may have been.
    """

    where: str
    is_connected: bool
    has_jetstream: bool = True
    late_seconds: float = 0.0
    trouble: str = ""
    mismatch: str = ""
    denied: str = ""
    silent_seconds: float = 0.0
    heartbeat: Heartbeat | None = None
    refusal: str = ""
    is_mixed: bool = False


def explain(state: LinkState, stream: StreamName) -> str:
    """Return the reason why a stream delivers nothing; "" while all is well or still starting."""
    return next(_reasons(state, stream), "")


def _reasons(state: LinkState, stream: StreamName) -> Iterator[str]:
    is_silent = state.silent_seconds > SILENT_SECONDS
    yield from _reasons_of_nats(state, is_silent=is_silent)
    if state.mismatch:
        yield state.mismatch
    if is_silent and not state.has_jetstream:
        why = f"NATS at {state.where} has no JetStream, which the relay needs"
        yield f"no relay publishes, because {why}; start it with nats-server -js"
    if state.heartbeat is not None and state.heartbeat.ended:
        yield state.heartbeat.ended
    if is_silent:
        yield _silence(state)
    if state.refusal and stream is not StreamName.FILLS:
        yield f"the relay does not serve this reader: {state.refusal}"
    if state.is_mixed and stream is StreamName.FILLS:
        yield (
            "the order updates that were read belong to more than one Alpaca account; "
            "use one nats-server for each account, then Restart"
        )
    if state.heartbeat is not None:
        yield from _reasons_of_relay(state.heartbeat, stream)


def _reasons_of_nats(state: LinkState, *, is_silent: bool) -> Iterator[str]:
    if not state.is_connected and state.late_seconds:
        seconds = f"{state.late_seconds:.0f} s"
        yield f"this computer did not read for {seconds}, so NATS closed the connection"
    if not state.is_connected and (state.trouble or is_silent):
        why = f" ({state.trouble})" if state.trouble else ""
        is_refused = state.trouble.startswith(REFUSED)
        step = "check its credentials" if is_refused else "check that nats-server runs there"
        yield f"NATS at {state.where} is not reachable{why}; {step}"
    if state.denied:
        yield (
            f"NATS at {state.where} denies this reader what it needs: {state.denied}; "
            "give the user the permissions of reader in deploy/nats-server.conf"
        )


def _silence(state: LinkState) -> str:
    where = state.where
    if state.heartbeat is None:
        return f"no relay publishes at {where}; start one with options-helper relay --nats {where}"
    return "the relay has stopped publishing; check that options-helper relay still runs"


def _reasons_of_relay(heartbeat: Heartbeat, stream: StreamName) -> Iterator[str]:
    health, name = heartbeat.streams.get(stream), _ADJECTIVE[stream]
    cause = health.last_failure.words if health is not None and health.last_failure is not None else ""
    if health is not None and health.state is StreamState.RECONNECTING:
        yield f"the relay is running, but its {name} stream is reconnecting: {cause}"
    if health is not None and health.state is StreamState.ERROR:
        yield f"the relay's {name} stream ended: {cause}; it is not retried until the relay is restarted"
    if stream is StreamName.FILLS and heartbeat.unstored and heartbeat.trouble:
        unstored = count(heartbeat.unstored, "order update")
        yield f"the relay has {unstored} that it cannot store: {heartbeat.trouble}"
