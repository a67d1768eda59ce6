"""The simulator's REST routes: authentication, limits and answers."""

from __future__ import annotations

import asyncio
import datetime as dt

import aiohttp
import pytest

from options_helper.simulator.account.orders import LegRequest
from options_helper.simulator.rest.application import RequestLimit
from options_helper.simulator.world import Plan

CALL = "AAPL391216C00270000"
PUT = "AAPL391216P00270000"
DATA_PATH, TRADING_PATH = "/v1beta1/indices/latest/values?symbols=SPX", "/v2/clock"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_only_get_is_answered(phone, method) -> None:
    """Any other method gets 405 and is counted, so that a test can show that none was used."""

    async def ask() -> int:
        url = phone.simulator.url + "/v2/orders"
        async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
            return answer.status

    assert asyncio.run(ask()) == 405
    assert phone.simulator.methods_seen == {method: 1}
    assert phone.simulator.requests == [(method, "/v2/orders")]


def test_unsimulated_routes_are_not_found(phone) -> None:
    """A path that is not simulated is answered with 404."""

    async def ask() -> int:
        url = phone.simulator.url + "/v2/watchlists"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status

    assert asyncio.run(ask()) == 404


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (TRADING_PATH, {}, 401),
        (TRADING_PATH, {"APCA-API-KEY-ID": "demo", "APCA-API-SECRET-KEY": "x"}, 401),
        (DATA_PATH, {}, 401),
        (DATA_PATH, {"APCA-API-KEY-ID": "demo", "APCA-API-SECRET-KEY": "x"}, 403),
    ],
)
def test_keys_are_needed(phone, path, headers, status) -> None:
    """Without the right keys in its headers a request is refused."""
    assert phone.get(path, headers=headers)[0] == status


def test_the_limit_is_per_host_and_reported_in_headers(make_phone) -> None:
    """Headers count down, over the limit the answer is 429, and each host has its own limit."""
    phone = make_phone(plan=Plan(trading_requests_per_minute=2, data_requests_per_minute=9))
    seen = [phone.get(TRADING_PATH) for _ in range(6)]  # a minute may begin in between
    assert {status for status, *_ in seen} == {200, 429}
    assert all(headers["X-RateLimit-Limit"] == "2" for *_, headers in seen)
    status, _, headers = phone.get(DATA_PATH)
    assert (status, headers["X-RateLimit-Limit"]) == (200, "9")


def test_a_limit_starts_over_each_minute() -> None:
    """Within a minute the limit holds, and Reset names its end."""
    now = [119.0]
    limit = RequestLimit(2, clock=lambda: now[0])
    taken = [limit.take() for _ in range(3)]
    assert [within for within, _ in taken] == [True, True, False]
    assert [headers["X-RateLimit-Remaining"] for _, headers in taken] == ["1", "0", "0"]
    assert {headers["X-RateLimit-Reset"] for _, headers in taken} == {"120"}
    now[0] = 120.0
    assert limit.take()[0]


def test_a_fault_affects_its_path_the_requested_number_of_times(phone) -> None:
    """A fault with a path and a count affects that many matching requests."""
    phone.simulator.faults.rest(path="/v2/clock", status=500, times=2)
    phone.simulator.faults.rest(path="/v2/account", status=503)
    assert [phone.get("/v2/clock")[0] for _ in range(3)] == [500, 500, 200]
    assert [phone.get("/v2/account/activities")[0] for _ in range(3)] == [503, 503, 503]
    phone.simulator.faults.clear("rest")
    assert phone.get("/v2/account")[0] == 200


def test_a_fault_can_answer_anything(phone) -> None:
    """A fault may set the body, delay the answer, or hang until the client gives up."""
    phone.simulator.faults.rest(path="/v2/clock", body='{"odd": true}', times=1)
    assert phone.get("/v2/clock")[:2] == (200, {"odd": True})
    phone.simulator.faults.rest(path="/v2/clock", delay_seconds=0.01, times=1)
    assert phone.get("/v2/clock")[0] == 200
    phone.simulator.faults.rest(path="/v2/clock", hang=True)

    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            patience = aiohttp.ClientTimeout(total=0.1)
            await session.get(phone.simulator.url + "/v2/clock", timeout=patience)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(ask())


@pytest.mark.date_sensitive
def test_the_market_is_always_open(phone) -> None:
    """The clock reports open, with the close in two to three hours."""
    clock = phone.body("/v2/clock")
    assert clock["is_open"] is True
    now, close = dt.datetime.fromisoformat(clock["timestamp"]), dt.datetime.fromisoformat(clock["next_close"])
    assert dt.timedelta(hours=2) < close - now < dt.timedelta(hours=3)
    assert dt.datetime.fromisoformat(clock["next_open"]) > close


@pytest.mark.date_sensitive
def test_today_is_a_trading_day(phone) -> None:
    """The calendar includes today, whatever the weekday, and otherwise only trading days."""
    clock = phone.body("/v2/clock")
    today = clock["timestamp"][:10]
    days = phone.body("/v2/calendar", start="2026-01-01", end="2026-02-01")
    assert len(days) == 20
    [day] = phone.body("/v2/calendar", start=today, end=today)
    assert day["open"] < day["close"]
    assert phone.get("/v2/calendar?start=yesterday")[0] == 400


@pytest.mark.date_sensitive
def test_orders_are_filtered(phone) -> None:
    """Orders can be filtered by status, times, symbols, side, direction and limit."""
    simulator = phone.simulator
    first = simulator.place_order(CALL, "buy", 1)
    second = simulator.fill_now(PUT, "sell", 2, 3.0)
    third = simulator.place_order("MSFT", "buy", 10)

    def ids(**query: object) -> list[str]:
        return [row["id"] for row in phone.body("/v2/orders", **query)]

    assert ids() == [third, first]
    assert ids(status="closed") == [second]
    assert ids(status="all", direction="asc") == [first, second, third]
    assert ids(status="all", limit=2) == [third, second]
    assert ids(status="all", symbols=f"{PUT},MSFT", side="sell") == [second]
    middle = phone.body(f"/v2/orders/{second}")["submitted_at"]
    assert ids(status="all", after=middle) == [third]
    assert ids(status="all", until=middle) == [first]
    assert ids(status="all", after="2999-01-01") == []
    for wrong in ("status=odd", "limit=501", "limit=x", "after=never"):
        assert phone.get(f"/v2/orders?{wrong}")[0] == 422
    assert phone.get("/v2/orders/unknown")[0] == 404


def test_legs_are_nested_or_listed_beside(phone) -> None:
    """Nested, a multi-leg order contains its legs; otherwise they are rows beside it."""
    legs = [LegRequest(CALL, "buy"), LegRequest(PUT, "sell", ratio=2)]
    phone.simulator.place_multileg_order(legs, 3)
    [parent] = phone.body("/v2/orders", status="all", nested="true")
    assert [(leg["symbol"], leg["qty"], leg["ratio_qty"]) for leg in parent["legs"]] == [
        (CALL, "3", "1"),
        (PUT, "6", "2"),
    ]
    flat = phone.body("/v2/orders", status="all", symbols=CALL)
    assert {row["symbol"] for row in flat} == {"", CALL}
    assert all(row["legs"] is None for row in flat)
    assert phone.body(f"/v2/orders/{parent['id']}", nested="true")["legs"] == parent["legs"]


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_activities_come_in_pages(phone, direction) -> None:
    """Pages of at most 100, each requested with the last id, have every execution once, in order."""
    phone.simulator.add_history(250, symbols=[CALL, PUT])
    rows = []
    page = phone.body("/v2/account/activities", direction=direction)
    while page:
        assert len(page) <= 100
        rows += page
        page = phone.body("/v2/account/activities", direction=direction, page_token=page[-1]["id"])
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == 250
    assert ids == sorted(ids, reverse=direction == "desc")
    ledger = phone.simulator.ledger()
    assert {(row["order_id"], row["cum_qty"]) for row in rows} == {
        (one.order_id, str(one.cumulative)) for one in ledger.executions
    }
    assert phone.body("/v2/account/activities", page_token="unknown") == []  # noqa: S106
    assert phone.get("/v2/account/activities?page_size=101")[0] == 422


@pytest.mark.date_sensitive
def test_activities_are_filtered(phone) -> None:
    """Activities can be filtered by type, category, date and times."""
    phone.simulator.fill_now(CALL, "buy", 1, 2.0)
    [row] = phone.body("/v2/account/activities", activity_types="FILL", page_size=1)
    today = phone.body("/v2/clock")["timestamp"][:10]

    def count(**query: str) -> int:
        return len(phone.body("/v2/account/activities", **query))

    assert count(activity_types="FILL,OPEXP") == count(date=today) == count(after="2020-01-01T00:00:00Z") == 1
    assert count(activity_types="OPEXP") == count(category="non_trade_activity") == 0
    assert count(date="2020-01-01") == count(until="2020-01-01") == 0
    assert count(after=f"{int(row['transaction_time'][:4]) + 1}-01-01") == 0


def test_a_bust_leaves_the_activities_and_a_correction_changes_them(phone) -> None:
    """A busted execution is not listed, and a corrected one has its new price."""
    simulator = phone.simulator
    order_id = simulator.place_order(CALL, "buy", 2)
    first, second = simulator.fill(order_id, 1, 2.0), simulator.fill(order_id, 1, 2.1)
    simulator.bust(first)
    simulator.correct(second, 2.2)
    [row] = phone.body("/v2/account/activities")
    assert (row["price"], row["cum_qty"]) == ("2.2", "2")


@pytest.mark.date_sensitive
def test_positions_follow_fills(make_phone) -> None:
    """The account holds the given portfolio plus the fills since, at the average price."""
    position = {
        "id": "x",
        "symbol": "AAPL",
        "option_type": "call",
        "expiry": "2039-12-16",
        "strike": 270,
        "contracts": -2,
        "cost_basis": 5.0,
    }
    phone = make_phone(portfolio={"positions": [position]})
    phone.simulator.fill_now(CALL, "sell", 2, 7.0)
    phone.simulator.fill_now("MSFT", "buy", 10, 500.0)
    rows = {row["symbol"]: row for row in phone.body("/v2/positions")}
    assert (rows[CALL]["qty"], rows[CALL]["avg_entry_price"], rows[CALL]["side"]) == ("-4", "6", "short")
    assert rows["MSFT"]["market_value"] == f"{10 * float(rows['MSFT']['current_price']):g}"
    phone.simulator.fill_now("MSFT", "sell", 10, 501.0)
    assert "MSFT" not in {row["symbol"] for row in phone.body("/v2/positions")}


@pytest.mark.date_sensitive
def test_contracts(phone) -> None:
    """Any well-formed symbol is a contract of its underlying; adjusted ones are marked as such."""
    brk = phone.body("/v2/options/contracts/BRKB391216C00500000")
    assert (brk["underlying_symbol"], brk["root_symbol"], brk["multiplier"]) == ("BRK.B", "BRKB", "100")
    adjusted = phone.body("/v2/options/contracts/CSGP1391216P00001000")
    assert (adjusted["underlying_symbol"], adjusted["size"], adjusted["tradable"]) == ("CSGP", "100", False)
    assert phone.body("/v2/options/contracts/SPXW391216C06000000")["style"] == "european"
    assert phone.body("/v2/options/contracts/AAPL200117C00100000")["status"] == "inactive"
    assert phone.get("/v2/options/contracts/BRK.B391216C00500000")[0] == 404


@pytest.mark.date_sensitive
def test_snapshots_agree_with_the_stream(phone) -> None:
    """REST's latest quote and trade are the last ones that the stream sent."""
    phone.simulator.push_quote(CALL, 7.0, 7.2)
    phone.simulator.push_trade(CALL, 7.1, 3)
    row = phone.body("/v1beta1/options/snapshots", symbols=CALL)["snapshots"][CALL]
    assert (row["latestQuote"]["bp"], row["latestQuote"]["ap"]) == (7.0, 7.2)
    phone.simulator.push_trade("AAPL", 270.5, 100)
    assert phone.body("/v2/stocks/snapshots", symbols="AAPL")["AAPL"]["latestTrade"]["p"] == 270.5


@pytest.mark.date_sensitive
def test_snapshots_have_yesterdays_close(phone) -> None:
    """Yesterday's bar has the previous trading day's date and the contract's close."""
    symbols = [f"AAPL391216C{strike * 1000:08d}" for strike in range(230, 310)]
    snapshots = phone.body("/v1beta1/options/snapshots", symbols=",".join(symbols))["snapshots"]
    assert set(snapshots) == set(symbols)
    dates = {row["prevDailyBar"]["t"][:10] for row in snapshots.values()}
    assert 1 <= len(dates) <= 2
    assert 40 < sum("greeks" in row for row in snapshots.values()) <= 80
    assert any("latestTrade" not in row for row in snapshots.values())
    closes = phone.body("/v2/stocks/snapshots", symbols="AAPL")["AAPL"]
    assert closes["prevDailyBar"]["c"] == pytest.approx(272, abs=3)


@pytest.mark.date_sensitive
def test_an_expired_contract_has_no_data(phone) -> None:
    """A contract that has expired is left out of the answer."""
    gone = "AAPL200117C00100000"
    answer = phone.body("/v1beta1/options/snapshots", symbols=f"{gone},{CALL}")
    assert set(answer["snapshots"]) == {CALL}


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/v1beta1/options/snapshots", {"symbols": ",".join([CALL] * 101)}, 400),
        ("/v1beta1/options/snapshots", {}, 400),
        ("/v1beta1/options/snapshots", {"symbols": "BRK.B391216C00500000"}, 400),
        ("/v1beta1/options/snapshots", {"symbols": CALL, "feed": "sip"}, 400),
        ("/v1beta1/options/snapshots", {"symbols": CALL, "feed": "opra"}, 403),
        ("/v2/stocks/snapshots", {"symbols": "BRK-B"}, 400),
        ("/v2/stocks/snapshots", {"symbols": "AAPL", "feed": "sip"}, 403),
    ],
)
def test_invalid_data_requests_are_refused(make_phone, path, query, status) -> None:
    """Too many symbols, none, a wrong spelling and a wrong or excluded feed are refused."""
    phone = make_phone(plan=Plan(feeds=frozenset({"iex", "indicative"})))
    assert phone.get(path, **query)[0] == status


def test_an_index_is_not_a_stock(phone) -> None:
    """Indices have their own values and are not stocks."""
    assert phone.body("/v2/stocks/snapshots", symbols="SPX,AAPL").keys() == {"AAPL"}
    value = phone.body("/v1beta1/indices/latest/values", symbols="SPX")["values"]["SPX"]["v"]
    assert value == pytest.approx(6690, rel=0.05)
