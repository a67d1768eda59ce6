"""Import everything that a relay needs, in the process from which relays are forked."""

from options_helper.relay.command import _import_ahead

_import_ahead()
