"""The reference as one page for a browser: no scripts, nothing from a network, and what plugins say of themselves is shown as text."""

import re
from html import escape

from nnframe import __version__
from nnframe.command.pages import Page, Row, sections, slots

STYLE = """
:root { color-scheme: light dark; --text: #1c1e21; --faint: #5c636b; --line: #d8dce1; --back: #fff; --box: #f4f6f8; --link: #0a58a8 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e3e6ea; --faint: #9aa3ad; --line: #3a4048; --back: #16181b; --box: #20242a; --link: #7db8f5 }
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--text); background: var(--back) }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
code, pre { font: .875em/1.5 ui-monospace, monospace }
code { background: var(--box); border-radius: 3px; padding: .1em .3em; overflow-wrap: anywhere }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .7em .9em; overflow-x: auto }
nav { padding: 1rem; border-bottom: 1px solid var(--line) }
nav summary { cursor: pointer; font-weight: 600 }
nav h2 { font-size: .8rem; margin: 1rem 0 .2rem; color: var(--faint); text-transform: uppercase; letter-spacing: .05em }
nav ul { list-style: none; margin: 0; padding: 0; font-size: .9rem; display: flex; flex-wrap: wrap; gap: .15rem .9rem }
main { padding: 1rem; max-width: 62rem }
h1 { font-size: 1.6rem; margin: .3rem 0 } h2 { border-bottom: 1px solid var(--line); padding-bottom: .2rem; margin: 2.5rem 0 1rem }
h3 { margin: 2rem 0 .4rem; font-size: 1.1rem } h3 small { font-weight: 400; color: var(--faint) }
article p { margin: .5rem 0 }
.table { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .7rem 0 }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line) }
th { color: var(--faint); font-weight: 500 }
td:first-child { white-space: nowrap } td code { overflow-wrap: normal }
.also { color: var(--faint); font-size: .92rem }
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 17rem minmax(0, 1fr) }
  nav ul { display: block }
  th:nth-child(1) { width: 12rem } th:nth-child(2) { width: 9rem }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; border: 0; border-right: 1px solid var(--line) }
  main { padding: 1rem 2.5rem }
}
"""


def reference() -> str:
    """The page."""
    groups = [("sections", "A config", sections()), *((_id(slot.name), slot.plural.capitalize(), slot.pages) for slot in slots())]
    taken = {place for place, _, _ in groups}
    contents, parts = "", ""
    for place, title, pages in groups:
        ids = [_own(page, taken) for page in pages]
        items = "".join(f'<li><a href="#{own}">{escape(page.name)}</a></li>' for own, page in zip(ids, pages, strict=True))
        articles = "".join(_article(own, page) for own, page in zip(ids, pages, strict=True))
        contents += f'<h2><a href="#{place}">{escape(title)}</a></h2><ul>{items}</ul>'
        also = '<p class="also">Every loss may stand among the metrics, too, by its own name.</p>' if place == "metric" else ""
        parts += f'<section><h2 id="{place}">{escape(title)}</h2>{also}{articles}</section>\n'
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>nnframe {__version__}: reference</title><style>{STYLE}</style></head>\n"
        f"<body><nav><details open><summary>Contents</summary>{contents}</details></nav>\n"
        f"<main><h1>nnframe {__version__}</h1><p>What a config may say: its sections, then every component that it can name.</p>\n"
        f"{parts}</main></body></html>\n"
    )


def _id(name: str) -> str:
    return escape(name.replace(" ", "-"))


def _own(page: Page, taken: set[str]) -> str:
    """The anchor of a page: its name, unless another has it."""
    found = _id(page.name if _id(page.name) not in taken else f"{page.slot}.{page.name}")
    taken.add(found)
    return found


def _article(own: str, page: Page) -> str:
    text = "".join(f"<pre>{escape(part)}</pre>" if part[0] == " " or "\n" in part else f"<p>{_marked(part)}</p>" for part in page.text)
    elsewhere = [row for row in page.rows if row.shared and page.slot == "data source"]  # which the section `data` has
    rows = [row for row in page.rows if row not in elsewhere]
    table = "".join(f"<tr><td><code>{escape(row.name)}</code></td><td>{_default(row)}</td><td>{_takes(row)}</td></tr>" for row in rows)
    head = "<tr><th>option</th><th>default</th><th>takes</th></tr>"
    others = ", ".join(f"<code>{escape(row.name)}</code>" for row in elsewhere)
    return (
        f'<article id="{own}"><h3>{escape(page.name)} <small>{escape(page.kind)}</small></h3>{text}'
        + (f'<div class="table"><table>{head}{table}</table></div>' if rows else "")
        + (f'<p class="also">And the options of <a href="#data">all data sources</a>: {others}.</p>' if others else "")
        + (f"<pre>{escape(page.example)}</pre>" if page.example else "")
        + "</article>"
    )


def _default(row: Row) -> str:
    return row.default if row.default == "required" else f"<code>{escape(row.default)}</code>"


def _takes(row: Row) -> str:
    """In words, in which slots are links."""
    text = escape(row.takes)
    for slot in row.slots[:1]:
        text = text.replace(slot, f'<a href="#{_id(slot)}">{slot}</a>', 1)
    return text


def _marked(text: str) -> str:
    """A paragraph in which what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
