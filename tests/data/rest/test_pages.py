"""Answers that span several pages."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from options_helper.data.rest.client import CUT_SHORT
from options_helper.data.rest.order_pages import read_pages
from options_helper.errors import AlpacaRestError
from tests.data.rest.served import Clock, connect, script

OPEN = dt.datetime(2026, 11, 20, 14, 30, tzinfo=dt.UTC)


def activity(number: int) -> dict[str, str]:
    """Return the FILL with this number."""
    return {"id": f"{number:08}::x", "activity_type": "FILL"}


def test_all_pages_of_fills_under_a_limit_with_429s_between() -> None:
    """5,000 activities in pages of 100 arrive complete and in order, within 200 requests a minute."""
    everything = [activity(number) for number in range(5_000)]
    clock = Clock()
    minutes: dict[int, int] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        minute = int(clock.now // 60)
        minutes[minute] = minutes.get(minute, 0) + 1
        if sum(minutes.values()) % 7 == 0:
            return httpx.Response(429, headers={"Retry-After": "2"})
        query = request.url.params
        assert query["page_size"] == "100"
        assert query["activity_types"] == "FILL"
        assert query["after"] == "2026-11-20T14:29:59Z"
        ids = [row["id"] for row in everything]
        start = ids.index(query["page_token"]) + 1 if "page_token" in query else 0
        return httpx.Response(200, json=everything[start : start + 100])

    rest, server, _ = connect(answer, clock)
    assert [row for page in rest.fill_pages(OPEN) for row in page] == everything
    assert len(server.requests) >= 51
    assert max(minutes.values()) <= 200


def test_a_short_page_of_activities_is_not_mistaken_for_the_last() -> None:
    """Pages are requested until one is empty or cannot be continued."""
    pages = {None: [activity(1)], activity(1)["id"]: [activity(2)], activity(2)["id"]: [activity(2)]}
    rest, server, _ = connect(
        lambda request: httpx.Response(200, json=pages[request.url.params.get("page_token")])
    )
    assert [row["id"] for page in rest.fill_pages(OPEN) for row in page] == [
        activity(number)["id"] for number in (1, 2, 2)
    ]
    assert len(server.requests) == 3


@pytest.mark.parametrize("page", [[7], [{}], [{"id": 7}], [{"id": "same"}]])
def test_pages_that_never_advance_end(page: list[object]) -> None:
    """If a full page cannot be continued, a row says that more rows are missing."""
    rest, server, _ = connect(lambda _: httpx.Response(200, json=page * 100))
    assert list(rest.fill_pages(OPEN))[-1] == [CUT_SHORT]
    assert len(server.requests) <= 2


def order(number: int, legs: int = 0, **changes: object) -> dict[str, object]:
    """Return the order with this number; each ten consecutive orders were submitted at one moment."""
    at = OPEN + dt.timedelta(milliseconds=number // 10)
    return {
        "id": f"o{number}",
        "submitted_at": at.isoformat().replace("+00:00", "Z"),
        "legs": [{"id": f"o{number}l{leg}"} for leg in range(legs)] or None,
        **changes,
    }


@pytest.mark.parametrize("legs_count", [True, False])
def test_all_pages_of_orders_with_equal_times_are_read(legs_count: bool) -> None:
    """No order is lost between pages, whether or not the server's limit counts legs."""
    everything = [order(number, legs=number % 3) for number in range(1_234)]

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        assert (query["status"], query["nested"], query["direction"]) == ("all", "true", "asc")
        after = dt.datetime.fromisoformat(query["after"])
        page, room = [], int(query["limit"])
        for row in everything:
            if dt.datetime.fromisoformat(str(row["submitted_at"])) <= after:
                continue
            room -= 1 + (len(row["legs"] or ()) if legs_count else 0)  # type: ignore[arg-type]
            if room < 0:
                break
            page.append(row)
        return httpx.Response(200, json=page)

    rest, _, _ = connect(answer)
    assert rest.orders(OPEN - dt.timedelta(seconds=1)) == everything


def test_many_orders_with_the_same_time_end_the_paging() -> None:
    """A full page without new orders is the last one, and a row says that more may be missing."""
    page = [order(number, submitted_at="2026-11-20T14:30:00Z") for number in range(500)]
    rest, server, _ = connect(lambda _: httpx.Response(200, json=page))
    assert rest.orders(OPEN) == [*page, CUT_SHORT]
    assert len(server.requests) == 2


def test_the_rows_of_a_page_are_not_compared_with_each_other() -> None:
    """Rows are not compared with each other, which would take hours for a huge answer."""

    class Row(dict[str, object]):
        __hash__ = None  # type: ignore[assignment]  # as a dict

        def __eq__(self, other: object) -> bool:
            raise AssertionError("rows are compared")

    rows: list[object] = [Row(id=str(number)) for number in range(9)]
    assert len(read_pages(lambda _after: [*rows, None], None, size=500)[0]) == 10


@pytest.mark.parametrize("submitted", [None, "soon", "2026-11-20T14:30:00", 7])
def test_orders_without_a_readable_time_end_the_paging(submitted: object) -> None:
    """A full page without a time to continue from is the last, and a row says that more rows are missing."""
    page = [order(number, submitted_at=submitted) for number in range(500)]
    rest, server, _ = connect(lambda _: httpx.Response(200, json=[*page, "junk", {"id": None}]))
    assert rest.orders() == [*page, "junk", {"id": None}, CUT_SHORT]  # all are passed on, to be counted
    assert len(server.requests) == 1
    assert "after" not in server.requests[0].url.params


def test_snapshots_are_requested_in_hundreds_and_paged() -> None:
    """No call requests more than 100 contracts, and further pages of an answer are fetched."""

    def answer(request: httpx.Request) -> httpx.Response:
        symbols = request.url.params["symbols"].split(",")
        assert len(symbols) <= 100
        assert request.url.params["feed"] == "opra"
        second = "page_token" in request.url.params
        half = symbols[50:] if second else symbols[:50]
        token = None if second or len(symbols) <= 50 else "more"
        return httpx.Response(
            200, json={"snapshots": {name: {"of": name} for name in half}, "next_page_token": token}
        )

    rest, server, _ = connect(answer)
    symbols = [f"A{number:03}" for number in range(250)]
    assert rest.option_snapshots(symbols, "opra") == {name: {"of": name} for name in symbols}
    assert len(server.requests) == 5


def test_pages_of_market_data_without_an_end_are_an_error() -> None:
    """Endlessly changing page tokens raise an error in words; an empty page does not end the reading."""
    tokens = iter(range(1000))
    rest, server, _ = connect(
        lambda _: httpx.Response(200, json={"snapshots": {}, "next_page_token": str(next(tokens))})
    )
    with pytest.raises(AlpacaRestError, match="more than 100 pages"):
        rest.option_snapshots(["A"], "opra")
    assert len(server.requests) == 100


def test_every_page_of_corporate_actions_is_read() -> None:
    """A split on the second page counts like one on the first."""
    split = {"symbol": "A", "new_rate": 2, "old_rate": 1, "ex_date": "2026-11-20"}
    rest, server, _ = connect(
        script(
            httpx.Response(200, json={"corporate_actions": {}, "next_page_token": "more"}),
            httpx.Response(200, json={"corporate_actions": {"forward_splits": [split]}}),
        )
    )
    assert rest.splits(["A"], OPEN.date(), OPEN.date()) == [split]
    assert server.requests[1].url.query.endswith(b"page_token=more")
