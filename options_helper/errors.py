"""All errors of the package, as one tree.

    OptionsHelperError                a sentence a user can act on; str(error) is shown as it is
    ├── UserFileError                 path, place, reason
    │   ├── UnreadableFile            not there (MissingFile), not allowed, no regular file, too large
    │   ├── PortfolioError            of portfolio.json; Start stays disabled
    │   └── AlertsFileError           of alerts.json
    ├── SettingsError                 which variable, where to put it
    ├── MissingDependency             package, the pip line
    ├── ContractSymbolError           no contract symbol, or terms that no symbol can carry (a ValueError too)
    ├── AlpacaRestError               status, path: one HTTP GET without a usable answer
    └── StreamError                   stream, code, detail
        ├── StreamRejected            final: a wrong key, a plan without the feed, a symbol limit
        └── StreamInterrupted         retried with backoff: dropped, refused, timed out, mute

No message carries a secret.
"""

from __future__ import annotations

from pathlib import Path

from options_helper.printable import printable

# The reason for a RuntimeError of `Thread.start`, whose text is Python's.
NO_THREAD = "This system allows no more threads. End other programs, or allow more (`ulimit -u`)."


class OptionsHelperError(Exception):
    """The root of the tree; its text is a sentence that a user can act on."""


class UserFileError(OptionsHelperError):
    """One of the user's files cannot be used.

    Attributes:
        path: The file.
        place: Where in the file, in words ("position 'aapl-1', field strike"; "line 3, column 7"), or "".
        reason: What is wrong, with an example of a valid value.
    """

    def __init__(self, path: Path | str, reason: str, *, place: str = "") -> None:
        self.path = Path(path)
        self.place = place
        self.reason = reason
        name = printable(str(self.path))  # it may contain bytes that no page or terminal can show
        super().__init__(f"{name}: {place}: {reason}" if place else f"{name}: {reason}")


class UnreadableFile(UserFileError):
    """A file that cannot be opened or read, is not a regular file, or is too large."""


class MissingFile(UnreadableFile):
    """The file does not exist."""


class PortfolioError(UserFileError):
    """A portfolio file that cannot be used.

    Attributes:
        problems: The place and reason of every problem, including the first.
    """

    def __init__(
        self, path: Path | str, reason: str, *, place: str = "", problems: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(path, reason, place=place)
        self.problems = problems or ((place, reason),)


class AlertsFileError(UserFileError):
    """An alerts file that cannot be used."""


class SettingsError(OptionsHelperError, ValueError):
    """A setting that is missing or wrong; the text says which variable and where to put it."""

    def __init__(self, variable: str, reason: str) -> None:
        self.variable = variable
        super().__init__(reason)


class MissingDependency(OptionsHelperError):
    """A package of an extra that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        super().__init__(
            f'The package {package} is not installed. Run: pip install "options-helper[{extra}]"'
        )


class ContractSymbolError(OptionsHelperError, ValueError):
    """Text that is not a contract symbol, or terms that no contract symbol can express.

    Attributes:
        field: The term at fault: "root", "option_type", "expiry" or "strike"; "" if the text is at fault.
    """

    def __init__(self, reason: str, *, field: str = "") -> None:
        self.field = field
        super().__init__(reason)


class AlpacaRestError(OptionsHelperError):
    """A GET without a usable response.

    Attributes:
        status: The HTTP status, or None if no response came.
        path: The URL's path, never its query or headers.
        retry_after: The seconds after which the server allows another request, if it reported them.
    """

    def __init__(
        self, path: str, reason: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        self.path = path
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"GET {path}: {reason}")


class StreamError(OptionsHelperError):
    """The end of a stream.

    Attributes:
        stream: "stocks", "options" or "fills".
        code: Alpaca's error code or an HTTP status, if there was one.
        detail: What happened, in words.
    """

    def __init__(self, stream: str, detail: str, *, code: int | None = None) -> None:
        self.stream = stream
        self.code = code
        self.detail = detail
        super().__init__(f"{detail} ({code})" if code is not None else detail)


class StreamRejected(StreamError):
    """A final refusal by the server; trying again would change nothing."""


class StreamInterrupted(StreamError):
    """A failed or ended connection; trying again may succeed."""
