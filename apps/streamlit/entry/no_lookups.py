"""A patch that keeps Streamlit from looking up this machine's addresses."""

from __future__ import annotations

from streamlit import net_util


def never_look_up_addresses() -> None:
    """Keep Streamlit from looking up this machine's external and internal addresses.

    Streamlit asks an outside service for the external address, on the event loop, whenever a request has a
    foreign Origin, and when it starts on all interfaces. It needs the internal address only for the same list
    of origins and for a banner that is not shown.
    """
    net_util.get_external_ip = _unknown
    net_util.get_internal_ip = _unknown


def _unknown() -> str | None:
    return None
