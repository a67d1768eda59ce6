"""The trading stream: authentication, listening, and order updates as JSON in binary frames."""

from __future__ import annotations

import asyncio
import json

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from options_helper.simulator.connection import Connection
from options_helper.simulator.wire import JsonObject
from options_helper.simulator.world import World

_STREAM = "trade_updates"


class TradingConnection(Connection):
    """A connection to the trading stream; `listening` is True once the client has requested order updates."""

    def __init__(self, request: web.Request, world: World) -> None:
        super().__init__("fills", request, world.faults)
        self._world = world
        self._msgpack = "msgpack" in request.headers.get("Content-Type", "")
        self._authenticated = False
        self.listening = False

    async def serve(self) -> None:
        """Serve the client until the connection ends."""
        if self._dropped("connect"):
            return
        deadline = asyncio.get_running_loop().time() + self._world.auth_timeout_seconds
        while self.is_open:
            left = None if self._authenticated else deadline - asyncio.get_running_loop().time()
            try:
                message = await self.socket.receive(timeout=None if left is None else max(left, 0.001))
            except TimeoutError:
                self.drop("close", code=1008)
                return
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                return
            self._on_message(message)

    def deliver_update(self, update: object) -> None:
        """Send an order update if the client listens."""
        if self.listening and not self.faults.mute:
            self._say(_STREAM, update)

    def _say(self, stream: str, data: object) -> None:
        encode = msgspec.msgpack.encode if self._msgpack else msgspec.json.encode
        self.send(encode({"stream": stream, "data": data}))

    def _on_message(self, message: WSMessage) -> None:
        try:
            request = msgspec.msgpack.decode(message.data) if self._msgpack else json.loads(message.data)
            action = request["action"]
        except (msgspec.DecodeError, ValueError, TypeError, KeyError):
            self._say("error", {"error": "invalid message"})
            return
        if action in {"authenticate", "auth"}:
            self._authenticate(request)
        elif action == "listen":
            self._listen(request)

    def _authenticate(self, request: JsonObject) -> None:
        faults = self.faults
        if faults.silent_after_auth or faults.silent_on_connect:
            return
        # Alpaca's documentation has both spellings; alpaca-py uses the first.
        data = request.get("data") or {}
        key_id = data.get("key_id", request.get("key", ""))
        secret = data.get("secret_key", request.get("secret", ""))
        if faults.refuse_key or not self._world.keys.accept(key_id, secret):
            self._say("authorization", {"action": "authenticate", "status": "unauthorized"})
            asyncio.get_running_loop().call_later(faults.delay_seconds, lambda: self.drop("close", code=1000))
            return
        self._authenticated = True
        self._say("authorization", {"action": "authenticate", "status": "authorized"})
        self._dropped("auth")

    def _listen(self, request: JsonObject) -> None:
        if not self._authenticated:
            self._say("authorization", {"action": "listen", "status": "unauthorized"})
            return
        faults = self.faults
        if faults.no_subscription_ack:
            return
        asked = (request.get("data") or {}).get("streams") or []
        granted = [
            one for one in asked if one == _STREAM and (faults.grant_only is None or one in faults.grant_only)
        ]
        self.listening = _STREAM in granted
        self._say("listening", {"streams": granted})
        if self.listening and not self._dropped("subscribe"):
            self._world.flow.hurry()

    def _dropped(self, stage: str) -> bool:
        how = self._world.faults.take_drop("fills", stage)
        if how is not None:
            self.drop(how)
        return how is not None
