"""The documentation agrees with the code."""

from __future__ import annotations

import datetime as dt
import json
import re
import runpy
from pathlib import Path

import pytest
import typer

from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.valuation import marks
from options_helper.analysis.valuation.quote_state import QuoteState
from options_helper.cli import app
from options_helper.data.settings import INDICATIVE_QUOTE_LIMIT
from options_helper.models import Portfolio

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SOURCES = [*(ROOT / "options_helper").rglob("*.py"), *(ROOT / "apps").rglob("*.py")]
PORTAL_PAGES = ["PORTAL_LIVE_STREAMING.md", "PORTAL_STREAMLIT.md"]


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _command(name: str) -> str:
    script = runpy.run_path(str(ROOT / "scripts" / "readme_command.py"))
    command: str = script["readme_command"](name, _read("README.md"))
    return command


@pytest.mark.parametrize(("name", "elsewhere"), [("demo", "docs/index.md"), ("test", "CONTRIBUTING.md")])
def test_the_readmes_commands_are_one_line_and_the_same_elsewhere(name: str, elsewhere: str) -> None:
    """Every page shows the command that the checks run."""
    command = _command(name)
    assert command.startswith("python3 -m venv .venv && ")
    assert command in _read(elsewhere)


def test_a_command_that_is_missing_is_an_error() -> None:
    """A README without the marked block is an error."""
    script = runpy.run_path(str(ROOT / "scripts" / "readme_command.py"))
    with pytest.raises(SystemExit, match="0 one-line commands named 'demo'"):
        script["readme_command"]("demo", "# nothing here")


def test_every_variable_is_in_the_reference() -> None:
    """The reference explains every environment variable that the product reads."""
    read = {
        name
        for path in SOURCES
        for name in re.findall(r'"((?:APCA|OH)_[A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    explained = set(re.findall(r"`((?:APCA|OH)_[A-Z_]+)`", _read("docs/reference/settings.md")))
    assert explained == read


def test_every_option_is_in_the_reference() -> None:
    """The reference explains every command and option."""
    reference = _read("docs/reference/settings.md")
    command = typer.main.get_command(app)
    commands = command.commands  # type: ignore[attr-defined]
    options = {
        option
        for each in (command, *commands.values())
        for parameter in each.params
        for option in parameter.opts
        if option.startswith("--")
    }
    assert {"--demo", "--json", "--version"} <= options
    assert not [option for option in options if option not in reference]
    assert not [name for name in commands if f"`options-helper {name}`" not in reference]


@pytest.mark.parametrize(
    "name", ["options-helper-relay.service", "options-helper-page.service", "compose.yaml"]
)
def test_the_deployment_uses_options_that_exist(name: str) -> None:
    """Each command in the units and in the Compose file has only options that the command line knows."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    found = re.findall(r'options-helper"?,? "?(relay|ui)\b(.*)', _read(f"deploy/{name}"))
    assert found
    for command, words in found:
        known = {option for parameter in commands[command].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", words)) <= known


def test_the_images_contain_no_keys() -> None:
    """The Compose file copies the whole folder, except for the files in which a user keeps keys."""
    assert "COPY . ." in _read("deploy/compose.yaml")
    left_out = _read(".dockerignore").splitlines()
    assert {"**/*.env", "**/.env", "**/*.creds", ".git"} <= set(left_out)


def test_the_page_of_the_compose_file_links_to_where_it_is_published() -> None:
    """The link in the page's log leads to the published port, not to an address within the container."""
    services = _read("deploy/compose.yaml")
    (published,) = re.findall(r'ports: \["([0-9.]+:\d+):8501"\]', services)
    assert f'"--public-url", "http://{published}"' in services


@pytest.mark.parametrize("page", PORTAL_PAGES)
def test_the_portals_pages_say_what_it_is_not(page: str) -> None:
    """Both pages and the README say read-only, best effort and no advice."""
    for name in (f"docs/{page}", "README.md"):
        text = " ".join(_read(name).lower().split())
        for words in ("read-only", "orders", "best-effort", "not financial advice"):
            assert words in text


def test_the_documented_thresholds_of_a_mark_match_the_code() -> None:
    """The page about marks names each constant with its value."""
    page = " ".join(_read("docs/concepts/marks.md").split())
    for name in (
        "WIDE_SPREAD_FRACTION",
        "ZERO_BID_MAX_ASK",
        "STUB_SPREAD_DOLLARS",
        "STUB_SPREAD_FRACTION",
    ):
        assert f"`{name}` {getattr(marks, name):.2f}" in page


def test_the_figure_of_marks_is_drawn_from_the_code() -> None:
    """The figure equals what its script draws from the constants."""
    script = runpy.run_path(str(ROOT / "scripts" / "make_marks_figure.py"))
    assert script["draw_figure"]() == _read("docs/images/marks.svg")
    assert "(../images/marks.svg)" in _read("docs/concepts/marks.md")


def test_the_examples_of_marks_are_right() -> None:
    """Each example's mark follows from its bid and ask by the rule."""
    from options_helper.market import Quote

    page = _read("docs/concepts/marks.md")
    rows = re.findall(r"^\| ([\d.]+) \| ([\d.]+) \| ([\d.]+|—) \|", page, re.MULTILINE)
    assert len(rows) == 6
    for bid, ask, expected in rows:
        mark = marks.mark_contract(Quote("AAPL261218C00250000", float(bid), float(ask)))
        assert (mark is None) if expected == "—" else mark == pytest.approx(float(expected))


def test_every_state_is_explained() -> None:
    """The page about staleness has a row for each state and no others."""
    page = _read("docs/concepts/staleness.md").partition("## Sources")[0]
    rows = re.findall(r"^\| ([a-z ]+) \| ", page, re.MULTILINE)
    states = [row for row in rows if row != "state"]
    assert sorted(states) == sorted(state.replace("_", " ") for state in QuoteState)


def test_the_documented_indicative_limit_matches_the_code() -> None:
    """The documented limit of the free plan's option quotes is the enforced one."""
    assert f"{INDICATIVE_QUOTE_LIMIT} quotes" in _read("docs/PORTAL_LIVE_STREAMING.md")


def _json_blocks(page: str) -> list[str]:
    return re.findall(r"```json\n(.*?)```", _read(page), re.DOTALL)


def test_the_example_portfolio_loads() -> None:
    """The example portfolio file is valid."""
    blocks = _json_blocks("docs/reference/portfolio-file.md")
    assert [len(Portfolio.model_validate_json(block).positions) for block in blocks] == [4, 0]


def test_the_example_alerts_load() -> None:
    """The example alerts file holds valid rules."""
    (block,) = _json_blocks("docs/concepts/alerts.md")
    assert len([AlertRule.model_validate(rule) for rule in json.loads(block)["alerts"]]) == 7


def test_every_page_is_in_the_navigation() -> None:
    """The navigation lists every page."""
    navigation = _read("mkdocs.yml")
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert not [page for page in pages if f": {page}\n" not in navigation]


def test_nothing_is_loaded_from_another_site() -> None:
    """The documentation loads no font, script or image from another site."""
    assert "font: false" in _read("mkdocs.yml")
    for path in DOCS.rglob("*.md"):
        assert not re.search(r"!\[[^\]]*\]\(https?:", path.read_text(encoding="utf-8")), path


def test_constraints_name_only_versions() -> None:
    """Each line has a package and an exact version, and no address."""
    lines = _read("constraints.txt").splitlines()
    assert len(lines) > 50
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9._+]*", line)]


@pytest.mark.parametrize("page", ["columns", "warnings"])
def test_the_reference_pages_match_the_code(page: str) -> None:
    """`python scripts/write_reference.py` was run after the last change to a column or a warning."""
    script = runpy.run_path(str(ROOT / "scripts" / "write_reference.py"))
    assert _read(f"docs/reference/{page}.md") == script[f"{page}_page"]()


@pytest.mark.date_sensitive
@pytest.mark.integration
def test_the_script_for_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The scripts of "Use it from Python" run against a simulated Alpaca and print the positions."""
    pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
    simulator = pytest.importorskip("options_helper.simulator.server", reason="the simulator needs aiohttp")
    blocks = re.findall(r"```python\n(.*?)```", _read("docs/USE_FROM_PYTHON.md"), re.DOTALL)
    expiry = (dt.datetime.now(dt.UTC) + dt.timedelta(days=200)).date()
    terms = {"option_type": "call", "expiry": expiry.isoformat(), "strike": 250, "contracts": 1}
    position = {"id": "p1", "symbol": "AAPL", "cost_basis": 5.0, **terms}
    (tmp_path / "portfolio.json").write_text(json.dumps({"positions": [position]}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with simulator.AlpacaSimulator() as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        names: dict[str, object] = {}
        for block in blocks:
            exec(block, names)  # noqa: S102 - the page's own script
    printed = capsys.readouterr().out
    assert printed.startswith("live")
    assert "p1" in printed
    assert names["rows"]["mark"].tolist() == [6.1]  # type: ignore[index]
