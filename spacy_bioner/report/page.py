"""A page of figures: chapters of sections of tables and plots, written as one HTML file or as Markdown.

The HTML needs no network and no JavaScript; every text that is put into it is escaped.
"""

import re
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from typing import Any, List, Optional, Sequence, Tuple, Union

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    text (str): What it says.
    detail (str): What is said smaller, below it.
    shade (Optional[float]): How strongly it is coloured, 0 to 1.
    strong (bool): Whether it stands out.
    faint (bool): Whether it stands back, as what is uncertain or absent.
    wraps (bool): Whether its detail may take several lines.
    target (str): Id of the element of the page that it leads to.
    """

    text: str
    detail: str = ""
    shade: Optional[float] = None
    strong: bool = False
    faint: bool = False
    wraps: bool = False
    target: str = ""

    @property
    def classes(self) -> str:
        """Return the names of what is set, for the style sheet."""
        return " ".join(name for name in ("strong", "faint", "wraps") if getattr(self, name))

    def __str__(self) -> str:
        return f"{self.text} {self.detail}".strip()


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows.

    caption (str): What it shows.
    header (Sequence[str]): Names of the columns.
    rows (Sequence[Sequence[Union[str, Cell]]]): Its cells.
    note (str): How to read it.
    folded (bool): Whether the page shows it only when it is asked to.
    words (bool): Whether its cells hold words rather than numbers.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Union[str, Cell]]]
    note: str = ""
    folded: bool = False
    words: bool = False


@dataclass(frozen=True)
class Plot:
    """A picture.

    caption (str): What it shows.
    svg (str): An SVG element.
    description (str): What is to be seen in it, for those who do not see it.
    """

    caption: str
    svg: str
    description: str


@dataclass(frozen=True)
class Definitions:
    """Words with their meanings.

    items (Sequence[Tuple[str, str]]): Word and meaning.
    """

    items: Sequence[Tuple[str, str]]


@dataclass(frozen=True)
class Fragment:
    """Ready HTML that Markdown leaves out.

    html (Markup): Markup whose texts are escaped.
    """

    html: Markup


Block = Union[Table, Plot, Definitions, Fragment]


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading.

    id (str): Anchor, unique in the page.
    title (str): The heading.
    intro (str): A sentence or two before the blocks.
    blocks (Sequence[Block]): What it holds.
    """

    id: str
    title: str
    intro: str = ""
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Chapter:
    """Sections that belong together.

    title (str): The heading; empty for a page with a single chapter.
    sections (Sequence[Section]): Its sections.
    """

    title: str
    sections: Sequence[Section]


@dataclass(frozen=True)
class Page:
    """What is written.

    title (str): Of the page.
    lead (str): What a hurried reader should know.
    chapters (Sequence[Chapter]): All the rest.
    facts (Sequence[Tuple[str, str]]): A few figures shown large, each with what it is.
    more (str): What explains the lead.
    """

    title: str
    lead: str
    chapters: Sequence[Chapter]
    facts: Sequence[Tuple[str, str]] = field(default=())
    more: str = ""


def render_html(page: Page, *, lang: str = "en") -> str:
    """Write a page as one self-contained HTML file.

    page (Page): The page.
    lang (str): Language of its headings.
    RETURNS (str): The file's text.
    """
    templates = files(__package__) / "templates"
    environment = Environment(loader=PackageLoader(__package__, "templates"), autoescape=True, trim_blocks=True,
                              lstrip_blocks=True, undefined=StrictUndefined)
    numbers = count(1)
    environment.globals["kind_of"] = lambda block: type(block).__name__
    environment.globals["embed"] = lambda svg: Markup(_with_own_ids(svg, f"plot{next(numbers)}-"))
    style, script = (Markup((templates / name).read_text(encoding="utf8")) for name in ("page.css", "page.js"))
    return environment.get_template("page.html.jinja").render(page=page, lang=lang, style=style, script=script)


def render_markdown(page: Page) -> str:
    """Write the figures of a page as Markdown; plots are left to their tables.

    page (Page): The page.
    RETURNS (str): The file's text.
    """
    lines: List[str] = [f"# {_safe(page.title)}", "", _safe(page.lead), "",
                        *([_safe(page.more), ""] if page.more else [])]
    for chapter in page.chapters:
        if chapter.title:
            lines += [f"## {_safe(chapter.title)}", ""]
        for section in chapter.sections:
            lines += _section_lines(section, "###" if chapter.title else "##")
    return "\n".join(lines).rstrip() + "\n"


def _with_own_ids(svg: str, prefix: str) -> str:
    """Return an SVG element whose ids no other element of the page has."""
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    return svg.replace('xlink:href="#', f'xlink:href="#{prefix}').replace("url(#", f"url(#{prefix}")


def _section_lines(section: Section, marks: str) -> List[str]:
    """Return a section as Markdown; none where it holds nothing that Markdown can show."""
    body: List[str] = []
    for block in section.blocks:
        if isinstance(block, Table):
            rule = "---" if block.words else "---:"
            body += [f"**{_safe(block.caption)}**", "", _row(block.header),
                     _row(["---", *[rule] * (len(block.header) - 1)]), *map(_row, block.rows), ""]
            body += [block.note, ""] if block.note else []
        elif isinstance(block, Definitions):
            body += [*(f"- **{_safe(term)}**: {_safe(meaning)}" for term, meaning in block.items), ""]
    if not body:
        return []
    return [f"{marks} {_safe(section.title)}", "", *([section.intro, ""] if section.intro else []), *body]


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(_safe(str(cell)) for cell in cells) + " |"


def _safe(text: str) -> str:
    """Return a text in one line in which Markdown sees neither a tag nor the end of a cell."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
