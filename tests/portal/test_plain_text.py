"""Foreign text is shown literally, and every sentence is escaped in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from apps.streamlit.components.plain_text import in_html, in_markdown

pytestmark = pytest.mark.portal

COMPONENTS = Path(__file__).resolve().parents[2] / "apps" / "streamlit"
# Streamlit's elements that read Markdown in their first argument.
READ_MARKDOWN = frozenset(
    ["markdown", "caption", "error", "warning", "info", "success", "toast", "subheader", "title", "badge"]
)
ENCODERS = frozenset({"in_markdown", "in_html"})
JOINER = "\N{WORD JOINER}"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Live. 12 of 12", "Live. 12 of 12"),
        ("10:42:07", r"10\:42\:07"),
        ("![x](http://evil.example/x.png)", rf"!\[x\]\(http\:{JOINER}//evil.example/x.png\)"),
        ("www.evil.example", f"www{JOINER}.evil.example"),
        ("me@evil.example", f"me@{JOINER}evil.example"),
        ("2 @ 1.62", "2 @ 1.62"),
        (":skull: :100: :material/home:", rf"\:{JOINER}skull\: \:{JOINER}100\: \:{JOINER}material/home\:"),
        ("a -> b", rf"a -{JOINER}\> b"),
        ("1. one", r"1\. one"),
        ("- one", r"\- one"),
        ("a\n# b", "a\N{SYMBOL FOR LINE FEED}\\# b"),
        ("\x1b[31m", "\N{SYMBOL FOR ESCAPE}\\[31m"),
        ("a\u202eb", "a\N{REPLACEMENT CHARACTER}b"),
        ("a\udcffb", "a\N{REPLACEMENT CHARACTER}b"),
        ("spy\u200b-put", "spy\N{REPLACEMENT CHARACTER}-put"),
        ("spy\u200d-put", "spy\N{REPLACEMENT CHARACTER}-put"),
        ("spy\u2060-put", "spy\N{REPLACEMENT CHARACTER}-put"),
        ("spy\u061c\u00ad\ufeff\U000e0041", "spy" + 4 * "\N{REPLACEMENT CHARACTER}"),
        ("spy\u3164\u2800", "spy" + 2 * "\N{REPLACEMENT CHARACTER}"),
        ("x" + 300 * "\u0301", "x" + 4 * "\u0301" + "\N{REPLACEMENT CHARACTER}"),
        ("\u2212\u2060$5", "\u2212\u2060\\$5"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("\u06cc\u200c\u062e", "\u06cc\u200c\u062e"),
        ("&lt;b&gt;", r"\&lt;b\&gt;"),
        ("$x$ and `y`", r"\$x\$ and \`y\`"),
    ],
)
def test_markdown_shows_each_letter(text: str, markdown: str) -> None:
    """Syntax is escaped, what Streamlit rewrites is split, and invisible characters get a sign."""
    assert in_markdown(text) == markdown


@pytest.mark.parametrize("text", ['<img src=x onerror="a()">', "&amp;", "' title='x"])
def test_html_shows_each_letter(text: str) -> None:
    """HTML's characters are escaped, in elements and in attributes."""
    assert unescape(in_html(text)) == text
    assert not set("<>\"'").intersection(in_html(text))


def test_a_path_that_is_not_utf_8_can_be_sent() -> None:
    """A lone surrogate from a file name that is not UTF-8 is replaced, because it cannot be sent."""
    assert in_html("caf\udce9.json").encode() == "caf\N{REPLACEMENT CHARACTER}.json".encode()


def test_no_other_module_escapes_html() -> None:
    """HTML's own escaping keeps invisible characters, so only one module uses it."""
    own = {
        path.name for path in COMPONENTS.rglob("*.py") if "import escape" in path.read_text(encoding="utf-8")
    }
    assert own == {"plain_text.py", "this_machine.py"}  # the latter writes no foreign text


def _interpolations(words: ast.expr) -> Iterator[ast.expr]:
    """Yield the expressions that a call puts into Markdown, without its literal text."""
    match words:
        case ast.Constant():
            return
        case ast.JoinedStr(values=parts):
            for part in parts:
                if isinstance(part, ast.FormattedValue):
                    yield from _interpolations(part.value)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _interpolations(body)
            yield from _interpolations(orelse)
        case _:
            yield words


def _is_ours(words: ast.expr) -> bool:
    """Return whether an expression is encoded, or a constant of the module (which is written in capitals)."""
    match words:
        case ast.Call(func=ast.Name(id=name)):
            return name in ENCODERS
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            return name.isupper()
    return False


def test_every_sentence_is_escaped_in_one_place() -> None:
    """No element that reads Markdown receives a value that was not escaped."""
    raw: list[str] = []
    for path in sorted(COMPONENTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            if node.func.attr in READ_MARKDOWN:
                raw += [
                    f"{path.name}:{node.lineno}: {ast.unparse(words)}"
                    for words in _interpolations(node.args[0])
                    if not _is_ours(words)
                ]
    assert raw == []
