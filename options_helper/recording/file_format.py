"""The format of a recording: a header, then blocks of records.

    header   b"OHREC" and a zero byte, then the format's version in 16 bits
    block    the length and the CRC-32 of the frame, 32 bits each; then a Zstandard frame
             that contains a msgpack array of records (`records`)

All numbers are big-endian. Blocks do not depend on each other, so a ring can drop its oldest ones, and a file
that was cut short is readable up to its last whole block.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
import zstandard

from options_helper.errors import OptionsHelperError
from options_helper.recording.records import Closed, Record

VERSION = 1
HEADER = b"OHREC\0" + struct.pack("!H", VERSION)
SUFFIX = ".ohrec"
LARGEST_BLOCK = 64 * 1024 * 1024  # decompressed, so that no file can fill the memory
_PREFIX = struct.Struct("!II")
_LEVEL = 1  # higher levels cost more than they save

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Record]).decode


class UnreadableRecording(OptionsHelperError):
    """The file is not a recording, or has a different version."""


def encode_records(records: Sequence[Record]) -> bytes:
    """Return a block's content: the records as a msgpack array."""
    return _encode(records)


def decode_records(content: bytes) -> list[Record]:
    """Return the records of a block's content.

    Raises:
        msgspec.MsgspecError: The content was not written by `encode_records`.
    """
    return _decode(content)


def pack_block(content: bytes) -> bytes:
    """Return a block, ready to be appended."""
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(content)
    return _PREFIX.pack(len(packed), zlib.crc32(packed)) + packed


def open_recording(path: Path) -> BinaryIO:
    """Return a file for a `RecordingReader`.

    Raises:
        OSError: It cannot be opened.
        UnreadableRecording: It is not a regular file; reading a pipe might never end.
    """
    if path.exists() and not path.is_file():
        raise UnreadableRecording(f"{path} is not a regular file.")
    return path.open("rb")


class RecordingReader:
    """A reader of a recording from front to back.

    Attributes:
        damage: A sentence that says why reading ended before the end of the file, or "".
        is_closed: True if the recording was closed, and not cut short by a crash.

    Raises:
        UnreadableRecording: The file is not a recording, or has a different version.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.damage = ""
        self.is_closed = False
        header = file.read(len(HEADER))
        if header[:6] != HEADER[:6] or len(header) < len(HEADER):
            raise UnreadableRecording("This is not a recording of options-helper.")
        if header != HEADER:
            version = int.from_bytes(header[6:])
            raise UnreadableRecording(
                f"A newer version of options-helper wrote this recording (format {version}; this one reads "
                f"{VERSION}). Update options-helper."
                if version > VERSION
                else f"The recording's header is damaged: there is no format {version}."
            )

    def contents(self) -> Iterator[bytes]:
        """Yield the decompressed content of each whole block."""
        while True:
            prefix = self._file.read(_PREFIX.size)
            if not prefix:
                return
            if len(prefix) < _PREFIX.size:
                return self._end("The end of the file is missing.")
            length, checksum = _PREFIX.unpack(prefix)
            packed = self._file.read(min(length, LARGEST_BLOCK))
            if len(packed) < length:
                return self._end("The end of the file is missing.")
            if zlib.crc32(packed) != checksum:
                return self._end("Part of the file is damaged; nothing after it is read.")
            try:
                if zstandard.frame_content_size(packed) > LARGEST_BLOCK:
                    return self._end("Part of the file is too large; nothing after it is read.")
                yield zstandard.ZstdDecompressor().decompress(packed, max_output_size=LARGEST_BLOCK)
            except zstandard.ZstdError:
                return self._end("Part of the file is damaged; nothing after it is read.")

    def blocks(self) -> Iterator[tuple[bytes, list[Record]]]:
        """Yield the content of each whole block, and its records; a block of unknown ones has none."""
        for content in self.contents():
            try:
                records = decode_records(content)
            except msgspec.MsgspecError:
                yield content, []
                return self._end("Part of the file is not made of known records; nothing after it is read.")
            if records:
                self.is_closed = isinstance(records[-1], Closed)
            yield content, records

    def records(self) -> Iterator[Record]:
        """Yield each record, up to the last whole block."""
        for _, records in self.blocks():
            yield from records

    def _end(self, words: str) -> None:
        self.damage, self.is_closed = words, False


def read_recording(path: Path) -> Iterator[Record]:
    """Yield the records of a file."""
    with open_recording(path) as file:
        yield from RecordingReader(file).records()
