"""Checks of a relay, from this machine to Alpaca: NATS, rights, the relay, its streams and clock."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from options_helper.analysis.text.wording import count
from options_helper.doctor.account import TOLERATED_SKEW_SECONDS
from options_helper.doctor.findings import Finding, Level
from options_helper.errors import OptionsHelperError
from options_helper.market import StreamState
from options_helper.relay.nats_options import (
    DENIED,
    NatsOptions,
    NatsUnavailable,
    connect_to_nats,
    has_jetstream,
    load_nats_options,
)
from options_helper.relay.wire import (
    ASK_SUBJECT,
    MARKET_SUBJECT,
    STATE_SUBJECT,
    Answer,
    Ask,
    Heartbeat,
    decode,
    encode,
)

if TYPE_CHECKING:
    from nats.aio.client import Client

_HEARTBEAT_WITHIN_SECONDS = 4.0
_ANSWER_WITHIN_SECONDS = 3.0


def check_relay(
    url: str, env: Mapping[str, str], env_file: Path, clock: Callable[[], dt.datetime]
) -> list[Finding]:
    """Return the findings about a relay; nothing is published but one request without symbols."""
    try:
        options = load_nats_options(url, env, env_file=env_file)
        return asyncio.run(_examine(options, clock))
    except OptionsHelperError as error:
        return [Finding("NATS", Level.FAIL, str(error))]


async def _examine(options: NatsOptions, clock: Callable[[], dt.datetime]) -> list[Finding]:
    refused: list[str] = []
    try:
        client = await connect_to_nats(
            options, "options-helper doctor", retries=False, on_error=refused.append
        )
    except NatsUnavailable as error:
        return [Finding("NATS", Level.FAIL, str(error))]
    try:
        return [
            await _check_server(client, options),
            await _check_rights(client, refused),
            *await _check_relay(client, options, clock, refused),
        ]
    finally:
        await client.close()


async def _check_server(client: Client, options: NatsOptions) -> Finding:
    began = time.perf_counter()
    await client.flush()
    milliseconds, version = (time.perf_counter() - began) * 1000, client.connected_server_version
    server = f"nats-server {version.major}.{version.minor}.{version.patch}"
    login = f"signed in with {options.signs_in_with}" if options.signs_in_with else "without credentials"
    words = f"{options.shown}, {server}, answers in {milliseconds:.1f} ms, {login}"
    if not options.unencrypted_hosts:
        return Finding("NATS", Level.OK, words)
    hosts = ", ".join(options.unencrypted_hosts)
    words += f"; not encrypted on the way to {hosts} unless the server requires TLS"
    return Finding("NATS", Level.NOTE, words)


async def _check_rights(client: Client, refused: list[str]) -> Finding:
    # Readers subscribe to names below this one, so that nobody receives it.
    await client.publish(MARKET_SUBJECT)
    for _ in range(2):  # nats-py's ping may overtake what is sent just before it
        await client.flush()
    if any(words.startswith(DENIED) for words in refused):
        words = "those of a reader: it can ask for symbols, but publish nothing else"
        return Finding("Rights", Level.OK, words)
    words = "this user may publish as a relay does; deploy/nats-server.conf has a user that may not"
    return Finding("Rights", Level.NOTE, words)


async def _check_relay(
    client: Client, options: NatsOptions, clock: Callable[[], dt.datetime], refused: Sequence[str]
) -> list[Finding]:
    import nats.errors  # noqa: PLC0415 - of an extra

    try:
        heartbeat = await _read_heartbeat(client)
        ask = Ask(f"doctor-{uuid.uuid4().hex[:12]}", ends=True)
        before = clock()
        answer = decode((await client.request(ASK_SUBJECT, encode(ask), timeout=_ANSWER_WITHIN_SECONDS)).data)
        after = clock()
    except (OptionsHelperError, msgspec.MsgspecError) as error:  # a different version
        return [Finding("Relay", Level.FAIL, str(error))]
    except (nats.errors.Error, TimeoutError):
        step = f"start one with: options-helper relay --nats {options.shown}"
        # The check of the rights has provoked a refusal too.
        denied = [words for words in refused if not words.endswith(f" {MARKET_SUBJECT}")]
        if denied:
            words = denied[0].removeprefix(DENIED)
            step = f"{words}; give it the permissions of reader in deploy/nats-server.conf"
        elif not has_jetstream(client):
            step = "this nats-server has no JetStream, which a relay needs; start it with: nats-server -js"
        return [Finding("Relay", Level.FAIL, f"none answers at {options.shown}; {step}")]
    if not isinstance(answer, Answer):
        return [Finding("Relay", Level.FAIL, "its answer is of another version; update options-helper")]
    return [
        _describe_relay(answer),
        *_describe_streams(heartbeat),
        _describe_orders(heartbeat),
        _compare_clocks(answer.at, before, after),
    ]


async def _read_heartbeat(client: Client) -> Heartbeat:
    """Return the state of a relay that runs, which it publishes every second.

    Raises:
        TimeoutError: None came.
    """
    state = await client.subscribe(STATE_SUBJECT)
    async with asyncio.timeout(_HEARTBEAT_WITHIN_SECONDS):
        while True:
            message = decode((await state.next_msg(timeout=_HEARTBEAT_WITHIN_SECONDS)).data)
            if isinstance(message, Heartbeat) and not message.ended:
                return message


def _describe_relay(answer: Answer) -> Finding:
    source = answer.source
    words = f"{source.account} account, stocks from {source.stock_feed}, options from {source.options_feed}"
    return Finding("Relay", Level.OK, words)


def _describe_streams(heartbeat: Heartbeat) -> Iterator[Finding]:
    for stream, health in heartbeat.streams.items():
        failure = None if health.state is StreamState.RUNNING else health.last_failure
        cause = "" if failure is None else f": {failure.words}"
        level = {StreamState.RUNNING: Level.OK, StreamState.ERROR: Level.FAIL}.get(health.state, Level.NOTE)
        yield Finding(stream.capitalize(), level, f"the relay's stream is {health.state}{cause}")


def _describe_orders(heartbeat: Heartbeat) -> Finding:
    if heartbeat.unstored:
        unstored, why = count(heartbeat.unstored, "order update"), heartbeat.trouble or "being stored"
        words = f"not stored yet: {unstored} ({why})"
        return Finding("Orders", Level.FAIL if heartbeat.trouble else Level.NOTE, words)
    messages = count(heartbeat.stored or 0, "order message")
    stored = f"JetStream has stored {messages} so far" if heartbeat.stored else "none so far"
    if not heartbeat.gaps:
        return Finding("Orders", Level.OK, f"{stored}; the relay missed none")
    spans = count(len(heartbeat.gaps), "span")
    return Finding("Orders", Level.NOTE, f"{stored}; the relay may have missed some in {spans}")


def _compare_clocks(at: dt.datetime, before: dt.datetime, after: dt.datetime) -> Finding:
    ahead = (before + (after - before) / 2 - at).total_seconds()
    if abs(ahead) <= TOLERATED_SKEW_SECONDS:
        return Finding("Clock", Level.OK, "this machine's clock agrees with the relay's")
    way = "ahead of" if ahead > 0 else "behind"
    words = f"this machine's clock is {abs(ahead):.0f} s {way} the relay's; the page corrects ages for it"
    return Finding("Clock", Level.NOTE, words)
