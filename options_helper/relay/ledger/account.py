"""The account to which JetStream's stream of order messages belongs, and the stream itself.

The stream's description names the account, so whoever deletes the stream frees it for another account.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging

from nats.js import JetStreamContext, api
from nats.js.errors import BadRequestError, NotFoundError

from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.refusals import FORBIDDEN, UNAUTHORIZED
from options_helper.data.settings import AlpacaSettings
from options_helper.data.values import to_identifier
from options_helper.errors import AlpacaRestError, OptionsHelperError
from options_helper.relay.wire import KEPT_SECONDS, ORDERS_STREAM, ORDERS_SUBJECT, STORED_SUBJECT

logger = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 5.0


class OtherAccount(OptionsHelperError):
    """JetStream holds the order messages of another account."""

    def __init__(self) -> None:
        super().__init__(
            "NATS holds the order updates of another Alpaca account, so this relay does not lead: readers "
            "would see the fills of both accounts as those of one. Use a separate nats-server or NATS "
            "account for each Alpaca account. If this account replaces the other one, end the other one's "
            f"relays and delete what they stored: nats stream rm {ORDERS_STREAM}"
        )


def name_account(account_id: str) -> str:
    """Return a name for an Alpaca account that reveals neither its id nor its number.

    The id is random and longer than anyone can try, unlike the account's number.
    """
    return hashlib.blake2b(account_id.encode(), digest_size=16, person=b"options-helper").hexdigest()


async def find_account(settings: AlpacaSettings) -> str:
    """Return the name of the account that the keys belong to; ask Alpaca until it answers.

    Raises:
        OptionsHelperError: Alpaca refuses the keys, or does not say which account they belong to.
    """
    rest, words = AlpacaRest(settings), ""
    try:
        while True:
            try:
                account_id = to_identifier((await asyncio.to_thread(rest.account)).get("id"))
            except AlpacaRestError as error:
                if error.status in {UNAUTHORIZED, FORBIDDEN}:
                    raise
                if str(error) != words:
                    words = str(error)
                    logger.warning("This relay stands by once it knows its account. %s", words)
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
                continue
            if account_id is None:
                raise OptionsHelperError("Alpaca does not say which account the keys belong to.")
            return name_account(account_id)
    finally:
        rest.close()


async def refuse_other(jetstream: JetStreamContext, account: str) -> None:
    """Raise OtherAccount if JetStream holds the order messages of another account."""
    try:
        held = await jetstream.stream_info(ORDERS_STREAM)
    except NotFoundError:
        return
    if (held.config.description or account) != account:
        raise OtherAccount


async def prepare_ledger(jetstream: JetStreamContext, account: str) -> api.StreamInfo:
    """Create the stream of order messages, or change it to these settings; return its state.

    Raises:
        OtherAccount: It holds those of another account.
    """
    config = api.StreamConfig(
        name=ORDERS_STREAM,
        description=account,
        subjects=[f"{ORDERS_SUBJECT}.>"],
        storage=api.StorageType.FILE,
        max_age=KEPT_SECONDS,
        duplicate_window=KEPT_SECONDS,
        discard=api.DiscardPolicy.NEW,  # a full disk refuses messages, which then wait in the outbox
        allow_direct=True,
        republish=api.RePublish(src=f"{ORDERS_SUBJECT}.>", dest=f"{STORED_SUBJECT}.>"),
    )
    try:
        return await jetstream.add_stream(config)
    except BadRequestError:  # it exists with other settings
        await refuse_other(jetstream, account)
    held = await jetstream.stream_info(ORDERS_STREAM)
    if not held.config.description and held.state.messages:
        logger.warning("NATS holds order updates of an unknown account; they are deleted.")
        await jetstream.purge_stream(ORDERS_STREAM)
    return await jetstream.update_stream(config)
