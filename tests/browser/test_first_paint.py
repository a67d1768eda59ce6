"""The title is in the first document, appears where the page will draw it, and disappears once it has."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from tests.browser.conftest import Portal

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

SHELL = "#oh-first-paint"
PLACE = """title => {
    const range = document.createRange();
    range.selectNodeContents(title);
    const { x, y, height } = range.getBoundingClientRect();
    const { color, fontSize, fontWeight } = getComputedStyle(title);
    return { x, y, height, color, fontSize, fontWeight };
}"""
VIEWS: dict[str, tuple[int, Literal["light", "dark"]]] = {
    "wide": (1440, "light"),
    "dark": (1440, "dark"),
    "phone": (390, "light"),
}


def place(title: Any) -> dict[str, Any]:
    """Return the position and style of a title's words."""
    return dict(title.evaluate(PLACE))


def look(page: Any, view: str) -> None:
    """Change the window and the system's colours; a new page would compile the scripts again."""
    width, scheme = VIEWS[view]
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("path", ["/", "/Live_Portfolio"])
def test_the_title_is_painted_before_any_script(portal: Portal, path: str, view: str) -> None:
    """With every script held back, the title is already exactly where the page will draw it."""
    early = portal.open("about:blank")
    look(early, view)
    early.route("**/*.js", lambda route: route.abort())
    early.goto(portal.url + path)
    title = early.get_by_role("heading", level=1)
    playwright.expect(title).to_be_visible()
    early.evaluate("document.fonts.ready")
    painted = place(title)
    early.close()
    portal.complaints.clear()  # from the scripts that were held back

    page = portal.open("about:blank")
    look(page, view)
    page.goto(portal.url + path)
    playwright.expect(page.locator(SHELL)).to_have_count(0)
    drawn = page.locator("#root h1")
    playwright.expect(drawn).to_have_count(1)
    if path != "/":  # the title is centred beside the buttons
        playwright.expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    real = place(drawn)
    assert (painted["x"], painted["y"]) == pytest.approx((real["x"], real["y"]), abs=1)
    assert {**painted, "x": 0, "y": 0} == {**real, "x": 0, "y": 0}
    assert not portal.complaints


def test_the_components_modules_arrive_before_the_page_is_drawn(portal: Portal) -> None:
    """The browser fetches each module once, and before the websocket opens."""
    page = portal.open("about:blank")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    with page.expect_websocket():
        page.goto(portal.live_url, wait_until="commit")
    early = [url for url in fetched if "/options-helper." in url]
    playwright.expect(page.locator("tr[data-position-id]").first).to_be_visible()
    modules = [url for url in fetched if "/options-helper." in url]
    assert len(modules) == len(set(modules)) > 10
    assert set(modules) == set(early)


def test_the_browser_asks_for_nothing_in_vain_and_waits_for_no_script(portal: Portal) -> None:
    """The browser finds the server at once, and has the table's scripts before the websocket opens."""
    page = portal.open("about:blank")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    with page.expect_websocket():
        page.goto(portal.live_url, wait_until="commit")
    early = set(fetched)
    playwright.expect(page.locator("tr[data-position-id]").first).to_be_visible()
    assert not [url for url in fetched if "/Live_Portfolio/" in url]
    assert not [url for url in fetched if "/static/js/" in url and url not in early]


def test_the_first_rows_come_before_what_stands_below_and_beside_them(portal: Portal) -> None:
    """The page draws the table first, and the rest as soon as the browser has its rows."""
    page = portal.open("about:blank")
    page.add_init_script("""
        new MutationObserver((_, seen) => {
            if (!document.querySelector("tr[data-position-id]")) return;
            seen.disconnect();
            const rest = ".alert-calls, .st-key-live-meanings, .st-key-reload";
            window.early = document.querySelectorAll(rest).length;
        }).observe(document, { childList: true, subtree: true });
    """)
    page.goto(portal.live_url)
    playwright.expect(page.get_by_text("What the totals mean")).to_be_visible()
    playwright.expect(page.get_by_role("checkbox", name="Sound")).to_be_visible()
    playwright.expect(page.get_by_text("not financial advice")).to_be_visible()
    playwright.expect(page.get_by_role("button", name="Reload")).to_be_visible()
    assert page.evaluate("window.early") == 0


def test_the_page_is_whole_even_if_the_table_never_reports_its_rows(portal: Portal) -> None:
    """The next refresh draws the regions that the first run leaves out."""
    page = portal.open("about:blank")
    page.route("**/positions_table.js", lambda route: route.abort())
    page.goto(portal.live_url)
    playwright.expect(page.get_by_text("What the totals mean")).to_be_visible()
    playwright.expect(page.get_by_role("button", name="Reload")).to_be_visible()
    portal.complaints.clear()  # from the script that was held back


def test_while_streams_run_the_title_is_at_the_edge(portal: Portal) -> None:
    """While streams run, the sidebar is collapsed in the first document as on the page."""
    page = portal.open()
    page.get_by_role("button", name="Start", exact=True).click()
    playwright.expect(page.get_by_role("button", name="Stop", exact=True)).to_be_enabled()
    late = portal.open("about:blank")
    late.route("**/*.js", lambda route: route.abort())
    late.goto(portal.live_url)
    painted = place(late.get_by_role("heading", level=1))
    late.close()
    portal.complaints.clear()
    page.reload()
    playwright.expect(page.locator(SHELL)).to_have_count(0)
    drawn = page.locator("#root h1")
    page.wait_for_function("() => document.querySelector('#root h1').getBoundingClientRect().x < 30")
    real = place(drawn)
    assert (painted["x"], painted["y"]) == pytest.approx((real["x"], real["y"]), abs=1)
    page.get_by_role("button", name="Stop", exact=True).click()
    playwright.expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    assert page.get_by_test_id("stSidebar").get_attribute("data-collapsed") == "true"  # Stop moves nothing
    assert place(drawn)["x"] == real["x"]


@pytest.mark.parametrize(("system", "chosen"), [("light", "Dark"), ("dark", "Light")])
def test_the_title_follows_the_chosen_theme(portal: Portal, system: str, chosen: str) -> None:
    """A theme chosen in the menu applies from the first paint of each load."""
    page = portal.open("about:blank")
    page.emulate_media(color_scheme=system)
    page.goto(portal.live_url)
    page.get_by_test_id("stMainMenu").get_by_role("button").click()
    page.get_by_test_id(f"stMainMenuItem-theme-{chosen}").click()
    ground = "element => getComputedStyle(element).getPropertyValue('background-color')"
    page.wait_for_function("Object.keys(localStorage).some(key => key.startsWith('stActiveTheme'))")
    page.reload()
    playwright.expect(page.locator(SHELL)).to_have_count(0)
    real = page.locator(".stApp").evaluate(ground), place(page.locator("#root h1"))["color"]
    page.route("**/*.js", lambda route: route.abort())
    page.reload()
    shell = page.locator(SHELL)
    shell.evaluate("shell => shell.style.background = 'var(--page)'")  # beside the sidebar
    assert (shell.evaluate(ground), place(shell.locator("h1"))["color"]) == real
    page.evaluate("localStorage.clear()")
    page.reload()
    assert place(shell.locator("h1"))["color"] != real[1]


def test_the_title_does_not_hide_a_lost_server(portal: Portal) -> None:
    """If the scripts load but the server does not answer them, Streamlit's dialog is visible."""
    page = portal.open("about:blank")
    page.route("**/_stcore/**", lambda route: route.abort())
    page.goto(portal.live_url)
    playwright.expect(page.get_by_role("dialog")).to_be_visible()
    playwright.expect(page.locator(SHELL)).to_have_count(0)


@pytest.mark.parametrize("sign", ['<div class="stException">', '<div role="alert">'])
def test_the_title_does_not_hide_what_went_wrong(portal: Portal, sign: str) -> None:
    """An error in place of the page is visible."""
    page = portal.open("about:blank")
    page.route("**/*.js", lambda route: route.abort())
    page.goto(portal.live_url)
    playwright.expect(page.locator(SHELL)).to_be_visible()
    page.evaluate("html => document.querySelector('#root').insertAdjacentHTML('beforeend', html)", sign)
    playwright.expect(page.locator(SHELL)).to_have_count(0)


def test_the_title_disappears_by_itself(portal: Portal) -> None:
    """If nothing draws the page, words in its place say to reload it."""
    page = portal.open("about:blank")

    def forbid(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(
            response=answer, headers={**answer.headers, "content-security-policy": "script-src 'none'"}
        )

    page.route(portal.live_url, forbid)
    page.goto(portal.live_url)
    title = page.get_by_role("heading", level=1)
    playwright.expect(title).to_be_visible()
    playwright.expect(title).to_be_hidden()
    words = page.locator("#root").evaluate("node => getComputedStyle(node, '::after').content")
    assert "Reload it." in words
