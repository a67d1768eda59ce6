"""The account by REST: its number, what it holds, and what the adjusted contracts of it deliver."""

from __future__ import annotations

from collections.abc import Iterable

from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.refusals import NOT_FOUND
from options_helper.data.settings import mask
from options_helper.data.streaming.backfill.rest_rows import read_multiplier, read_positions
from options_helper.data.streaming.backfill.sink import BackfillSink
from options_helper.data.streaming.normalize.values import to_identifier
from options_helper.errors import AlpacaRestError

ACCOUNT_SECONDS = 300.0
POSITION_SECONDS = 60.0


class AccountFetch:
    """Parts of the background fetch; each gives the seconds until it is due again, None where once is enough.

    All raise AlpacaRestError.
    """

    def __init__(self, rest: AlpacaRest, sink: BackfillSink) -> None:
        self._rest, self._sink = rest, sink
        self._multipliers: dict[str, float] = {}

    def fetch_positions(self) -> float:
        """What the broker says the account holds."""
        self._sink.put_reference(broker_positions=read_positions(self._rest.positions()))
        return POSITION_SECONDS

    def fetch_account(self) -> float:
        """The account's number, masked."""
        number = to_identifier(self._rest.account().get("account_number"))
        if number is not None:
            self._sink.put_reference(account=mask(number))
        return ACCOUNT_SECONDS

    def fetch_multipliers(self, symbols: Iterable[str]) -> None:
        """Dollars per point of contracts; those that an earlier try got are not asked for again."""
        for symbol in symbols:
            if symbol in self._multipliers:
                continue
            multiplier = self._fetch_multiplier(symbol)
            if multiplier is not None:
                self._multipliers[symbol] = multiplier
        self._sink.put_reference(multipliers=dict(self._multipliers))

    def _fetch_multiplier(self, symbol: str) -> float | None:
        try:
            return read_multiplier(self._rest.option_contract(symbol))
        except AlpacaRestError as error:
            if error.status != NOT_FOUND:
                raise
            return None
