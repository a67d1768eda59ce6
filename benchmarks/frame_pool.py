"""Market data messages, encoded once: a pool of frames for flat-out and for paced sending."""

from __future__ import annotations

import random
import struct
import time

import msgpack
from server_side import encode_frame

POOL_MESSAGES = 4000
FINAL_BID = 777.25
END_SYMBOL = "ZZZZ"
_UNSET = msgpack.Timestamp(seconds=0x2_90AB_CDEF, nanoseconds=123_456_789)  # stands where a time goes
_MARK = _UNSET.to_bytes()


class FramePool:
    """Frames of `per_frame` quotes over symbols drawn at random, the same for the same symbols.

    Attributes:
        blob: All frames of the pool, one after the other, ready for the socket.
        messages: How many messages are in it.
    """

    def __init__(self, symbols: list[str], per_frame: int) -> None:
        self._symbols = [symbol for symbol in symbols if symbol != END_SYMBOL]
        self._per_frame = per_frame
        self._random = random.Random(20261118)  # noqa: S311 - the same load each time, not a secret
        self._payloads = [self._payload() for _ in range(max(1, POOL_MESSAGES // per_frame))]
        self._places = [_places(payload) for payload in self._payloads]
        self.messages = len(self._payloads) * per_frame
        self.blob = b"".join(encode_frame(self.stamped(number)) for number in range(len(self._payloads)))

    def stamped(self, number: int) -> bytes:
        """The payload of one frame, its messages stamped with the time it is now."""
        number %= len(self._payloads)
        payload, now = self._payloads[number], time.time_ns()
        seconds, nanoseconds = divmod(now, 1_000_000_000)
        stamp = nanoseconds << 34 | seconds
        for place in self._places[number]:
            struct.pack_into(">Q", payload, place, stamp)
        return bytes(payload)

    def final_blob(self) -> bytes:
        """The last quote of every symbol, then the quote of `END_SYMBOL` by itself."""
        final = [_quote(symbol, FINAL_BID) for symbol in self._symbols]
        frames = [final[at : at + self._per_frame] for at in range(0, len(final), self._per_frame)]
        frames.append([_quote(END_SYMBOL, FINAL_BID)])
        blobs = []
        for frame in frames:
            payload = bytearray(msgpack.packb(frame))
            for place in _places(payload):
                struct.pack_into(">Q", payload, place, time.time_ns() // 1_000_000_000)
            blobs.append(encode_frame(bytes(payload)))
        return b"".join(blobs)

    def _payload(self) -> bytearray:
        draw = self._random
        messages = [
            _quote(draw.choice(self._symbols), round(draw.uniform(0.05, 30), 2))
            for _ in range(self._per_frame)
        ]
        return bytearray(msgpack.packb(messages))


def _quote(symbol: str, bid: float) -> dict[str, object]:
    return {
        "T": "q",
        "S": symbol,
        "t": _UNSET,
        "bx": "C",
        "bp": bid,
        "bs": 11,
        "ax": "N",
        "ap": round(bid + 0.05, 2),
        "as": 7,
        "c": "A",
    }


def _places(payload: bytearray) -> list[int]:
    places, at = [], payload.find(_MARK)
    while at >= 0:
        places.append(at)
        at = payload.find(_MARK, at + 8)
    return places
