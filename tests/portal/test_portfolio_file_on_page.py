"""Missing, broken, changed and empty portfolio files on the live page."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from options_helper.session.hub import get_hub
from tests.portal.live_page import enabled, press, status

if TYPE_CHECKING:
    from conftest import PortalDesk

pytest.importorskip("streamlit", reason="the portal needs streamlit")
pytestmark = pytest.mark.portal


def test_a_missing_file_shows_a_friendly_screen(desk: PortalDesk) -> None:
    """Without a portfolio the page shows the missing file, its path and an example; Start is disabled."""
    desk.sign_in()
    page = desk.page()
    assert status(page).startswith("**No portfolio yet.**")
    assert "There is no file **portfolio.json**" in desk.said(page)
    assert enabled(page) == set()
    example = json.loads(page.code[0].value)
    desk.portfolio.write_text(json.dumps(example))
    assert "1 contract and 1 underlying are ready" in status(page.run())


def test_a_broken_file_says_where_and_what(desk: PortalDesk) -> None:
    """A wrong value is named by position and field, with a correct one; Start is disabled."""
    desk.own({**desk.CALL, "strike": -5})
    page = desk.page()
    assert status(page).startswith("**portfolio.json cannot be used.**")
    assert "aapl-call" in desk.said(page)
    assert "strike" in desk.said(page)
    assert enabled(page) == set()


def test_several_wrong_values_are_listed_one_per_line(desk: PortalDesk) -> None:
    """Each of several problems has its own line, and the wording is plural."""
    desk.own(*({**desk.CALL, "id": f"call-{n}", "strike": -5} for n in range(3)))
    page = desk.page()
    words = desk.said(page).replace("\\", "")
    assert '2 more problems in this file:\n- position "call-1", field strike' in words
    assert "One thing" not in " ".join(each.value for each in page.subheader)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("~nobody-of-this-name/portfolio.json", "**No portfolio yet.**"),
        ("x" * 5000, "cannot be used.**"),
        ("\0.json", "cannot be used.**"),
    ],
)
def test_an_impossible_path_shows_a_friendly_screen(desk: PortalDesk, path: str, words: str) -> None:
    """Whatever is typed as the path, the page says what is wrong with it."""
    page = desk.page()
    page.text_input(key="portfolio-path").set_value(path).run()
    assert not page.exception
    assert words in status(page)
    assert enabled(page) == set()


def test_the_root_directory_is_named_like_any_other(desk: PortalDesk) -> None:
    """A path without a last part is shown in full."""
    page = desk.page()
    page.text_input(key="portfolio-path").set_value("/").run()
    assert status(page).startswith("**/ cannot be used.**")


def test_a_corrected_file_is_read_by_itself(desk: PortalDesk) -> None:
    """The next run reads a file saved meanwhile, without a button."""
    desk.portfolio.write_text("{")
    page = desk.page()
    desk.own(desk.CALL)
    assert enabled(page.run()) == {"start"}


@pytest.mark.parametrize("text", ["{", None])
def test_while_streams_run_a_broken_file_removes_no_figure(desk: PortalDesk, text: str | None) -> None:
    """The last valid version stays below the error, and Restart is disabled until the file is corrected."""
    desk.own(desk.CALL)
    desk.sign_in()
    page = desk.page()
    press(page, "start")
    shown = [tile.label for tile in page.metric]
    if text is None:
        desk.portfolio.unlink()
    else:
        desk.portfolio.write_text(text)
    page.run()
    (problem,) = [line.value for line in page.error]
    assert problem.startswith("**portfolio.json cannot be used.** ")
    assert "The figures are from the version saved " in problem
    assert ([tile.label for tile in page.metric], enabled(page)) == (shown, {"stop"})
    desk.own(desk.CALL)
    assert (len(page.run().error), enabled(page)) == (0, {"stop", "restart"})


def test_a_file_that_changes_while_the_page_is_drawn_leaves_no_old_button(
    desk: PortalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Buttons and body show the same version of the file, so Start is disabled for a broken one."""
    from apps.streamlit.components import live_portfolio_page

    draw, broken = live_portfolio_page.draw_buttons, '{"positions": ['

    def draw_then_break(*args: Any) -> None:
        draw(*args)
        if desk.portfolio.read_text() != broken:
            desk.portfolio.write_text(broken)

    monkeypatch.setattr(live_portfolio_page, "draw_buttons", draw_then_break)
    desk.own(desk.CALL)
    desk.sign_in()
    page = desk.page()
    assert status(page).startswith("**portfolio.json cannot be used.**")
    assert enabled(page) == set()


def test_reload_reads_the_file_again(desk: PortalDesk) -> None:
    """Reload reads the file again even if its time and size did not change."""
    desk.own(desk.CALL)
    page = desk.page()
    kept = desk.portfolio.stat()
    desk.portfolio.write_text(desk.portfolio.read_text().replace("AAPL", "MSFT"))
    os.utime(desk.portfolio, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    press(page, "start")
    page.button(key="reload").click().run()
    assert get_hub().run is None
    desk.sign_in()
    press(page, "start")
    assert desk.manager.configs[0].stocks == ("MSFT",)


def test_an_empty_portfolio_says_what_to_add(desk: PortalDesk) -> None:
    """A portfolio without positions shows an example of one."""
    desk.own()
    page = desk.page()
    assert "This portfolio is empty" in desk.said(page)
