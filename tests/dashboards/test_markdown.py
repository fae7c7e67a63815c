"""Text widgets: whatever their Markdown holds, nothing runs and nothing is fetched."""

from __future__ import annotations

import pytest

from dashboards import markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("## What", "<h3>What</h3>"),
        ("[x](https://e.org/a?b=1)", '<p><a href="https://e.org/a?b=1" rel="noreferrer">x</a></p>'),
        ("[x](docs/a.md)", '<p><a title="docs/a.md">x</a></p>'),
        ("[x](http://e.org)", '<p><a title="http://e.org">x</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("a <script> b", "<p>a &lt;script&gt; b</p>"),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"),
    ],
)
def test_markdown_becomes_html_in_which_nothing_runs(text: str, html: str) -> None:
    assert markdown.render(text).strip() == html


def test_a_picture_of_elsewhere_is_not_fetched() -> None:
    assert "<img" not in markdown.render("![x](https://e.org/spy.png)")


def test_a_table_is_a_table() -> None:
    assert "<td>1</td>" in markdown.render("| a | b |\n|---|---|\n| 1 | 2 |")
