"""The reference as one page for a browser: no scripts, nothing from a network, and what plugins say of themselves is shown as text."""

import re
from collections.abc import Iterable, Iterator
from html import escape

from nnframe import __version__
from nnframe.command.pages import Page, Row, Slot, sections, slots
from nnframe.components.registry import REGISTRY

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
nav ul { list-style: none; margin: 0; padding: 0; font-size: .9rem }
main { padding: 1rem; max-width: 62rem }
h1 { font-size: 1.6rem; margin: .3rem 0 } h2 { border-bottom: 1px solid var(--line); padding-bottom: .2rem; margin: 2.5rem 0 1rem }
h3 { margin: 2rem 0 .4rem; font-size: 1.1rem } h3 small { font-weight: 400; color: var(--faint) }
article p { margin: .5rem 0 }
.table { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .7rem 0 }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line) }
th { color: var(--faint); font-weight: 500 }
.also { color: var(--faint); font-size: .92rem }
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 17rem minmax(0, 1fr) }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; border: 0; border-right: 1px solid var(--line) }
  main { padding: 1rem 2.5rem }
}
"""


def reference() -> str:
    """The page."""
    config, known = sections(), slots()
    groups = [("config", "A config", config), *((_id(slot.name), slot.plural.capitalize(), slot.pages) for slot in known)]
    ids = _ids(config, known)
    contents = "".join(
        f'<h2><a href="#{place}">{escape(title)}</a></h2><ul>{"".join(_item(ids[id(page)], page.name) for page in pages)}</ul>'
        for place, title, pages in groups
    )
    parts = [_section(place, title, "".join(_article(page, ids[id(page)]) for page in pages), known) for place, title, pages in groups]
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>nnframe {__version__}: reference</title><style>{STYLE}</style></head><body>",
            f"<nav><details open><summary>nnframe {__version__}</summary>{contents}</details></nav>",
        ]
    )
