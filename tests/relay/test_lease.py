"""The rules of the lease, without a server."""

from __future__ import annotations

import pytest

from options_helper.relay.lease import Lease, LeaseTimes

TIMES = LeaseTimes(lease=9.0, margin=3.0)


def a_lease() -> Lease:
    """Return what the process "me" knows before it has read anything."""
    return Lease("me", TIMES)


def test_a_take_over_fits_within_fifteen_seconds() -> None:
    """With the product's times, a standby waits for a lease and claims within 15 s."""
    times = LeaseTimes()
    assert times.poll + times.lease + times.poll + times.renew <= 15
    assert times.renew * 2 < times.lease - times.margin
    assert times.grace < times.margin


@pytest.mark.parametrize(
    ("revision", "value", "waited", "may"),
    [
        (7, "other 3", 8.9, False),
        (7, "other 3", 9.0, True),
        (7, "", 0.0, True),  # given back
        (7, "me 3", 0.0, True),  # the answer to a claim was lost
        (0, "", 8.9, False),  # the server may have lost the entry of a leader that is alive
        (0, "", 9.0, True),
    ],
)
def test_an_entry_can_be_claimed_if_it_is_free(
    revision: int, value: str, waited: float, *, may: bool
) -> None:
    """An entry can be claimed if it was released, is one's own, or was unchanged for a whole lease."""
    lease = a_lease()
    assert not lease.may_claim(1000.0)
    lease.observe(revision, value, 100.0)
    lease.observe(revision, value, 100.0 + waited)
    assert lease.may_claim(100.0 + waited) is may
    assert not lease.holds(100.0 + waited)


@pytest.mark.parametrize("changed", [(8, "other 4"), (7, "other 4"), (1, "other 1"), (0, "")])
def test_every_change_starts_another_wait(changed: tuple[int, str]) -> None:
    """A renewal restarts the wait, even one with the same revision in a new bucket."""
    lease = a_lease()
    lease.observe(7, "other 3", 0.0)
    lease.observe(*changed, 8.0)
    assert not lease.may_claim(16.9)
    assert lease.may_claim(17.0)


def test_a_leader_counts_from_before_its_request() -> None:
    """An answer that arrives late grants nothing."""
    lease = a_lease()
    lease.grant(8, 100.0)
    assert lease.holds(105.9)
    assert not lease.holds(106.0)


def test_another_holder_ends_the_lease() -> None:
    """A leader that reads a different name stops leading; if the entry is absent, it may write it again."""
    lease = a_lease()
    lease.grant(8, 100.0)
    lease.observe(0, "", 101.0)
    assert lease.holds(102.0)
    lease.observe(9, "other 1", 102.0)
    assert not lease.holds(102.0)
    assert lease.leader == "other"


def test_no_value_is_written_twice() -> None:
    """Two entries of one process differ, so that a standby sees every renewal."""
    lease = a_lease()
    assert lease.next_value() != lease.next_value()
