"""Keeps Streamlit from asking the network for this machine's addresses."""

from __future__ import annotations

from streamlit import net_util


def never_look_up_addresses() -> None:
    """Keep Streamlit from looking up the external and the internal address.

    It asks an outside service for the first, on the event loop, whenever a foreign Origin knocks and at a
    start on all interfaces; the second only serves the same list of origins and a banner that is not shown.
    """
    net_util.get_external_ip = _unknown
    net_util.get_internal_ip = _unknown


def _unknown() -> str | None:
    return None
