"""Pages: everything escaped, the same figures in HTML and Markdown."""

from html.parser import HTMLParser

from spacy_bioner.report.page import (
    Cell,
    Chapter,
    Definitions,
    Page,
    Plot,
    Section,
    Table,
    render_html,
    render_markdown,
)
from spacy_bioner.report.plots import plot_bars

EVIL = "<script>alert(1)</script>"
PAGE = Page("A & B", EVIL, [Chapter("", [Section("one", "One", "Intro.", [
    Table("Scores", ["System", "F1"], [["a|b", Cell("87.5", "[80, 90]", shade=0.5, strong=True, target="two")],
                                       [EVIL, "1"]], note="Read so."),
    Definitions([("Type", EVIL)]),
    Plot("Bars", plot_bars(["x"], {"s": [1]}, axis="n"), EVIL),
    Plot("The same", plot_bars(["x"], {"s": [1]}, axis="n"), "again"),
]), Section("two", "Two")])], [("1", "thing")])


class Checker(HTMLParser):
    """Collects ids and tags, and checks that elements close in order."""

    VOID = {"meta", "link", "input", "path", "use", "br", "img", "rect"}

    def __init__(self):
        super().__init__()
        self.ids, self.tags, self.open, self.texts = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


def check(html):
    checker = Checker()
    checker.feed(html)
    assert not checker.open
    return checker


def test_html_is_well_formed_escaped_and_has_unique_ids():
    html = render_html(PAGE)
    checker = check(html)
    assert checker.tags.count("script") == 1
    assert len(checker.ids) == len(set(checker.ids))
    assert checker.texts.count(EVIL) == 3 and "A &amp; B" in html
    assert "http://" not in html.replace("http://www.w3.org/", "") and "https://" not in html


def test_cells_carry_detail_shade_and_target():
    html = render_html(PAGE)
    assert '<td class="strong" style="--shade:0.500"><a href="#two">87.5</a> <small>[80, 90]</small></td>' in html


def test_markdown_holds_the_same_figures():
    lines = render_markdown(PAGE).splitlines()
    assert "| a\\|b | 87.5 [80, 90] |" in lines
    assert "| &lt;script>alert(1)&lt;/script> | 1 |" in lines
    assert "## One" in lines and "## Two" not in lines and "Read so." in lines
