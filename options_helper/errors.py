"""Everything that can go wrong, as one tree.

    OptionsHelperError                a sentence a user can act on; str(error) is shown as it is
    ├── PortfolioError                path, place, reason
    ├── AlertsFileError               path, place, reason, of alerts.json
    ├── SettingsError                 which variable, where to put it
    ├── MissingDependency             package, the pip line
    ├── ContractSymbolError           no contract symbol, or terms that none can carry (a ValueError too)
    ├── AlpacaRestError               status, path: one HTTP GET that gave no usable answer
    └── StreamError                   stream, code, detail
        ├── StreamRejected            final: a wrong key, a plan without the feed, a symbol limit
        └── StreamInterrupted         retried with backoff: dropped, refused, timed out, mute

No message carries a secret.
"""

from __future__ import annotations

from pathlib import Path


class OptionsHelperError(Exception):
    """The root; its text is a sentence that a user can act on."""


class PortfolioError(OptionsHelperError):
    """A portfolio file that cannot be used.

    Attributes:
        path: The file.
        place: Where in the file, in words ("position 'aapl-1', field strike"; "line 3, column 7"), or "".
        reason: What is wrong and what a right value looks like.
    """

    def __init__(self, path: Path | str, reason: str, *, place: str = "") -> None:
        self.path = Path(path)
        self.place = place
        self.reason = reason
        super().__init__(f"{self.path}: {place}: {reason}" if place else f"{self.path}: {reason}")


class AlertsFileError(OptionsHelperError):
    """An alerts file that cannot be used; the attributes are those of `PortfolioError`."""

    def __init__(self, path: Path | str, reason: str, *, place: str = "") -> None:
        self.path = Path(path)
        self.place = place
        self.reason = reason
        super().__init__(f"{self.path}: {place}: {reason}" if place else f"{self.path}: {reason}")


class SettingsError(OptionsHelperError, ValueError):
    """A setting that is missing or wrong; the text says which variable and where to put it."""

    def __init__(self, variable: str, reason: str) -> None:
        self.variable = variable
        super().__init__(reason)


class MissingDependency(OptionsHelperError):
    """A package of an extra is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        super().__init__(
            f'The package {package} is not installed. Run: pip install "options-helper[{extra}]"'
        )


class ContractSymbolError(OptionsHelperError, ValueError):
    """A text that is no contract symbol, or terms that no contract symbol can carry.

    Attributes:
        field: Which of the terms is at fault: "root", "option_type", "expiry" or "strike"; "" for a text.
    """

    def __init__(self, reason: str, *, field: str = "") -> None:
        self.field = field
        super().__init__(reason)


class AlpacaRestError(OptionsHelperError):
    """A GET that gave no usable answer.

    Attributes:
        status: The HTTP status, or None where no answer came.
        path: The URL's path, never its query or headers.
    """

    def __init__(self, path: str, reason: str, *, status: int | None = None) -> None:
        self.path = path
        self.status = status
        super().__init__(f"GET {path}: {reason}")


class StreamError(OptionsHelperError):
    """A stream ended.

    Attributes:
        stream: "stocks", "options" or "fills".
        code: Alpaca's error code or an HTTP status, where there was one.
        detail: What happened, in words.
    """

    def __init__(self, stream: str, detail: str, *, code: int | None = None) -> None:
        self.stream = stream
        self.code = code
        self.detail = detail
        super().__init__(f"{detail} ({code})" if code is not None else detail)


class StreamRejected(StreamError):
    """The server refuses this request for good; another try would change nothing."""


class StreamInterrupted(StreamError):
    """The connection ended, or never came about; another try may succeed."""
