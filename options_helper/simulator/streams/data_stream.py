"""The stock and option streams: authentication, subscriptions and delivery."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from options_helper.simulator.connection import Connection
from options_helper.simulator.market.contracts import is_stock_symbol, parse_contract
from options_helper.simulator.wire import JsonObject, Message, error, success, to_json, to_msgpack
from options_helper.simulator.world import World

# The channels that an acknowledgement lists, in Alpaca's order.
STOCK_CHANNELS = (
    "trades",
    "quotes",
    "bars",
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
    "corrections",
    "cancelErrors",
)
OPTION_CHANNELS = ("trades", "quotes")
CHANNEL_BY_TYPE = {"q": "quotes", "t": "trades", "s": "statuses", "c": "corrections", "x": "cancelErrors"}
_MESSAGES_PER_FRAME = 20
_TEST_FEED = "test"  # with a single symbol, FAKEPACA, which is not a stock
_FINAL_CODES = {402, 404, 406, 409}


class DataConnection(Connection):
    """A connection to the stock or the option stream.

    Attributes:
        subscriptions: The symbols of each channel, in the order of subscription.
    """

    def __init__(self, stream: str, feed: str, request: web.Request, world: World) -> None:
        super().__init__(stream, request, world.faults)
        self._world = world
        self._feed = feed
        self._headers = request.headers
        self._msgpack = stream == "options" or "msgpack" in request.headers.get("Content-Type", "")
        self._authenticated = False
        channels = OPTION_CHANNELS if stream == "options" else STOCK_CHANNELS
        self.subscriptions: dict[str, dict[str, None]] = {channel: {} for channel in channels}

    async def serve(self) -> None:
        """Serve the client until the connection ends."""
        if self.faults.silent_on_connect:
            await self._world.released.wait()
            return
        self.send_messages(success("connected"))
        if self._dropped("connect"):
            return
        if "APCA-API-KEY-ID" in self._headers:
            self._authenticate(self._headers["APCA-API-KEY-ID"], self._headers.get("APCA-API-SECRET-KEY", ""))
        deadline = asyncio.get_running_loop().time() + self._world.auth_timeout_seconds
        while self.is_open:
            left = None if self._authenticated else deadline - asyncio.get_running_loop().time()
            try:
                message = await self.socket.receive(timeout=None if left is None else max(left, 0.001))
            except TimeoutError:
                self._refuse(404)
                return
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                return
            self._on_message(message)

    def send_messages(self, messages: list[Message]) -> None:
        """Send messages in one frame, in the codec of this connection."""
        if self._msgpack:
            self.send(to_msgpack(messages))
        else:
            self.send(to_json(messages), text=True)

    def deliver_market(self, messages: Iterable[Message]) -> None:
        """Send the messages that the client has subscribed to, in batches."""
        if self.faults.mute:
            return
        wanted = [message for message in messages if self._wants(message)]
        for start in range(0, len(wanted), _MESSAGES_PER_FRAME):
            self.send_messages(wanted[start : start + _MESSAGES_PER_FRAME])

    def _wants(self, message: Message) -> bool:
        symbols = self.subscriptions.get(CHANNEL_BY_TYPE[message["T"]], {})
        return message["S"] in symbols or "*" in symbols

    @property
    def symbols(self) -> set[str]:
        """The symbols subscribed on any channel."""
        return {symbol for symbols in self.subscriptions.values() for symbol in symbols if symbol != "*"}

    def _on_message(self, message: WSMessage) -> None:
        if self.stream == "options" and message.type is WSMsgType.TEXT:
            self.send_messages(error(412))
            return
        try:
            request = msgspec.msgpack.decode(message.data) if self._msgpack else json.loads(message.data)
            action = request["action"]
        except (msgspec.DecodeError, ValueError, TypeError, KeyError):
            self.send_messages(error(400))
            return
        if action == "auth":
            self._on_auth(request)
        elif action not in {"subscribe", "unsubscribe"}:
            self.send_messages(error(400))
        elif not self._authenticated:
            self.send_messages(error(401))
        else:
            self._on_subscription(request, add=action == "subscribe")

    def _on_auth(self, request: JsonObject) -> None:
        if self._authenticated:
            self.send_messages(error(403))
        else:
            self._authenticate(str(request.get("key", "")), str(request.get("secret", "")))

    def _authenticate(self, key_id: str, secret: str) -> None:
        faults = self.faults
        if faults.silent_after_auth:
            return
        if faults.auth_error is not None:
            self._refuse(faults.auth_error)
        elif faults.refuse_key or not self._world.keys.accept(key_id, secret):
            self._refuse(402)
        elif self._feed not in self._world.plan.feeds:
            self._refuse(409)
        elif faults.held or self._world.clients.is_taken(self.stream, by_other_than=self):
            self._refuse(406)
        else:
            self._authenticated = True
            self._world.clients.take(self)
            self.send_messages(success("authenticated"))
            self._dropped("auth")

    def _refuse(self, code: int) -> None:
        self.send_messages(error(code))
        if code in _FINAL_CODES:
            asyncio.get_running_loop().call_later(
                self.faults.delay_seconds, lambda: self.drop("close", code=1000)
            )

    def _dropped(self, stage: str) -> bool:
        how = self._world.faults.take_drop(self.stream, stage)
        if how is not None:
            self.drop(how)
        return how is not None

    def _on_subscription(self, request: JsonObject, *, add: bool) -> None:
        faults = self.faults
        if faults.no_subscription_ack:
            return
        if faults.subscribe_error is not None:
            self.send_messages(error(faults.subscribe_error))
            return
        asked = {name: symbols for name, symbols in request.items() if name != "action"}
        code = self._find_error(asked)
        if code is not None:
            self.send_messages(error(code))
            return
        changed = self._changed(asked, add=add)
        if add and self._world.plan.is_exceeded(self.stream, self._feed, changed):
            self.send_messages(error(405))
            return
        self.subscriptions = changed
        self.send_messages(
            [{"T": "subscription", **{name: list(symbols) for name, symbols in changed.items()}}]
        )
        self._dropped("subscribe")

    def _find_error(self, asked: JsonObject) -> int | None:
        if not asked or not all(
            isinstance(symbols, list) and all(isinstance(symbol, str) for symbol in symbols)
            for symbols in asked.values()
        ):
            return 400
        if set(asked) - set(self.subscriptions):
            return 410
        every = {symbol for symbols in asked.values() for symbol in symbols} - {"*"}
        if self.stream == "stocks" and self._feed != _TEST_FEED and not all(map(is_stock_symbol, every)):
            return 400
        if self.stream == "options":
            if "*" in asked.get("quotes", ()):
                return 413
            if any(parse_contract(symbol) is None for symbol in every):
                return 400
        return None

    def _changed(self, asked: dict[str, list[str]], *, add: bool) -> dict[str, dict[str, None]]:
        changed = {channel: dict(symbols) for channel, symbols in self.subscriptions.items()}
        for channel, symbols in asked.items():
            for symbol in self._granted(symbols) if add else symbols:
                if add:
                    changed[channel][symbol] = None
                else:
                    changed[channel].pop(symbol, None)
        if self.stream == "stocks":
            # Alpaca itself adds these two channels to every subscription to trades.
            changed["corrections"], changed["cancelErrors"] = dict(changed["trades"]), dict(changed["trades"])
        return changed

    def _granted(self, symbols: list[str]) -> list[str]:
        only, at_most = self.faults.grant_only, self.faults.grant_at_most
        granted = [symbol for symbol in symbols if only is None or symbol in only]
        return granted if at_most is None else granted[:at_most]
