"""The Markdown of text widgets as HTML, in which nothing that is not ours runs."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

# The page has h1 and h2 of its own.
HEADING = "h3"


def render(text: str) -> str:
    """The text as HTML: CommonMark and tables, whatever HTML it holds escaped, no pictures."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    markdown.add_render_rule("heading_open", _heading)
    markdown.add_render_rule("heading_close", _heading)
    markdown.add_render_rule("link_open", _link)
    html: str = markdown.render(text)
    return html


def _heading(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    tokens[at].tag = HEADING
    return renderer.renderToken(tokens, at, options, env)


def _link(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    """A link of the web, or the name of a file of this repository, which isn't served here."""
    target = str(tokens[at].attrGet("href"))
    if target.startswith("https://"):
        tokens[at].attrSet("rel", "noreferrer")
    else:
        tokens[at].attrs = {"title": target}
    return renderer.renderToken(tokens, at, options, env)
