"""The account by REST: its number, its positions, and what adjusted contracts deliver."""

from __future__ import annotations

from collections.abc import Iterable

from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.refusals import NOT_FOUND
from options_helper.data.settings import mask
from options_helper.data.streaming.backfill.rest_rows import read_multiplier, read_positions, require_all
from options_helper.data.streaming.normalize.values import to_identifier
from options_helper.data.streaming.run.cache import Reference
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.errors import AlpacaRestError

ACCOUNT_SECONDS = 300.0
POSITION_SECONDS = 60.0


class AccountFetch:
    """Parts of the background fetch; each returns the seconds until it is due again, None for never.

    All raise AlpacaRestError.
    """

    def __init__(self, rest: AlpacaRest, results: RestResults) -> None:
        self._rest, self._results = rest, results
        self._multipliers: dict[str, float] = {}

    def fetch_positions(self) -> float:
        """Fetch what the broker says the account holds."""
        rows = self._rest.positions()
        positions = read_positions(rows)
        self._results.put_reference(Reference(broker_positions=positions))
        require_all("/v2/positions", wanted=len(rows), read=len(positions))
        return POSITION_SECONDS

    def fetch_account(self) -> float:
        """Fetch the account's number and mask it."""
        number = to_identifier(self._rest.account().get("account_number"))
        if number is not None:
            self._results.put_reference(Reference(account=mask(number)))
        return ACCOUNT_SECONDS

    def fetch_multipliers(self, symbols: Iterable[str]) -> None:
        """Fetch dollars per point of contracts, except those that an earlier try got."""
        for symbol in symbols:
            if symbol in self._multipliers:
                continue
            multiplier = self._fetch_multiplier(symbol)
            if multiplier is not None:
                self._multipliers[symbol] = multiplier
        self._results.put_reference(Reference(multipliers=dict(self._multipliers)))

    def _fetch_multiplier(self, symbol: str) -> float | None:
        try:
            return read_multiplier(self._rest.option_contract(symbol))
        except AlpacaRestError as error:
            if error.status != NOT_FOUND:
                raise
            return None
