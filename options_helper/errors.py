"""All errors of the package, as one tree.

    OptionsHelperError                a sentence a user can act on; str(error) is shown as it is
    ├── UserFileError                 path, place, reason
    │   ├── UnreadableFile            missing (MissingFile), not permitted, not a regular file, too large
    │   ├── PortfolioError            in portfolio.json; Start stays disabled
    │   └── AlertsFileError           in alerts.json
    ├── SettingsError                 which variable, where to put it
    ├── MissingDependency             package, the pip line
    ├── ContractSymbolError           not a contract symbol, or terms that none can express; also a ValueError
    ├── AlpacaRestError               status, path: an HTTP GET without a usable response
    └── StreamError                   stream, code, detail
        ├── StreamRejected            final: a wrong key, a plan without the feed, a symbol limit
        └── StreamInterrupted         retried with backoff: dropped, refused, timed out, mute

No message carries a secret.
"""

from __future__ import annotations

from pathlib import Path

from options_helper.printable import printable

# Replaces the text of the RuntimeError that `Thread.start` raises.
NO_THREAD = "This system allows no more threads. Close other programs, or raise the limit (`ulimit -u`)."


class OptionsHelperError(Exception):
    """The base class of all errors of the package; its text is a sentence that a user can act on."""


class UserFileError(OptionsHelperError):
    """An error that makes one of the user's files unusable.

    Attributes:
        path: The file.
        place: The place in the file ("position 'aapl-1', field strike" or "line 3, column 7"), or "".
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
    """A file that does not exist."""


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
    """An optional package that is not installed."""

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
    """A GET request without a usable response.

    Attributes:
        status: The HTTP status, or None if there was no response.
        path: The URL's path, without its query.
        retry_after: The seconds until the server allows another request, or None if it did not report them.
    """

    def __init__(
        self, path: str, reason: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        self.path = path
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"GET {path}: {reason}")


class StreamError(OptionsHelperError):
    """An error that ended a stream.

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
    """A final refusal by the server; retrying would not help."""


class StreamInterrupted(StreamError):
    """A connection that failed or ended; retrying may succeed."""
