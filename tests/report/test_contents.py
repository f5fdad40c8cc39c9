"""The report in headless Chromium: filters, search, links, print, dark, no script, and a silent console."""

import time
from dataclasses import replace

import pytest
from browsers import needs_chromium

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.comparison import compare_systems, summarise_runs
from spacy_bioner.evaluation.metrics import Sampling, measure_system
from spacy_bioner.evaluation.pairing import Pair
from spacy_bioner.report.contents import Evaluated, build_page
from spacy_bioner.report.curves import Curve
from spacy_bioner.report.lead import Shipped
from spacy_bioner.report.page import render_html, render_markdown

SCRIPT = "<script>document.title = 'broken'</script>"


def make_documents(number):
    """Sentences with nested mentions, a script in the first, Chinese in the last."""
    documents = [Annotation(f"The IL-2 gene {place} binds NF-kappa B in T cells.", (
        Mention(4, 13, "DNA"), Mention(4, 8, "protein")), id=f"doc-{place}") for place in range(number - 2)]
    evil = Annotation(f"{SCRIPT} IL-2", (Mention(len(SCRIPT) + 1, len(SCRIPT) + 5, "protein"),), id="evil")
    return [evil, *documents,
            Annotation("患者有肺炎球菌感染。", (Mention(3, 7, "DNA"), Mention(3, 9, "protein")), id="zh")]


def evaluate(documents, systems, name="mini"):
    pairs = {system: [Pair(document, system_of(document)) for document in documents]
             for system, system_of in systems.items()}
    sampling = Sampling(resamples=100)
    measured = {system: {**measure_system(each, sampling=sampling), "kind": "records", "source": "x",
                         "extra_documents": 0} for system, each in pairs.items()}
    metrics = {"version": "0", "gold": {"source": "gold", "count": len(documents), "characters": 1, "mentions": 2,
                                        "labels": {"DNA": 1}, "documents": {"path": "gold", "sha256": "0"}},
               "settings": {"resamples": 100, "seed": 0, "level": 0.95}, "systems": measured,
               "comparisons": compare_systems(pairs, sampling), "runs": summarise_runs(measured)}
    return Evaluated(name, metrics, documents, {system: {pair.gold.id: pair.predicted for pair in each}
                                                for system, each in pairs.items()})


def make_report(number=60):
    """One system that finds everything, and one that swaps labels in every third document and misses in every fifth."""
    def weak(document):
        place = int(document.id.removeprefix("doc-")) if document.id.startswith("doc-") else 1
        if place % 5 == 0:
            return document.with_mentions(())
        if place % 3 == 0:
            return document.with_mentions(Mention(each.start, each.end, "DNA") for each in document.mentions)
        return document

    part = evaluate(make_documents(number), {"strong": lambda document: document, "weak": weak})
    return build_page([part], title="Mini", card={"Corpora": {"mini": "CC0"}},
                      curves=[Curve.from_rows("run", [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}])])


def test_sections_stand_in_order():
    page = make_report()
    assert page.lead.startswith('"strong" outperforms "weak" by')
    assert [section.id for chapter in page.chapters for section in chapter.sections] == [
        "scores", "labels", "slices", "comparison", "errors", "confusion", "shifts", "curves", "card", "documents"]


def test_the_shipped_pipeline_leads_even_where_another_scores_higher():
    part = evaluate(make_documents(60), {"strong": lambda document: document,
                                         "weak": lambda document: document.with_mentions(document.mentions[:1])})
    page = build_page([part], shipped=Shipped("weak", {"weak": 80.0, "strong": 79.0}))
    assert page.lead.startswith('The shipped pipeline, "weak", is worse than "strong"')
    assert page.facts[0][1] == "F1 of the shipped pipeline"
    markdown = render_markdown(page)
    assert markdown.splitlines()[2] == page.lead.replace("|", "\\|") and page.more in markdown


def test_labels_of_the_schema_are_listed_where_the_test_set_lacks_them():
    part = evaluate(make_documents(5), {"a": lambda document: document})
    html = render_html(build_page([part], card={"definitions": {"RNA": "ribonucleic acids"}}))
    assert '<th scope="row">RNA</th><td class="faint wraps">0 <small>not in the test set</small></td>' in html


def test_a_limit_on_documents_is_said_and_examples_beyond_it_have_no_link():
    part = replace(evaluate(make_documents(30), {"none": lambda document: document.with_mentions(())}), limit=2)
    html = render_html(build_page([part]))
    assert html.count("<article") == 2 and "The first 2 of 30 documents are shown." in html
    assert '<a href="#doc0-0">evil</a>' in html and "<td>doc-5</td>" in html


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_html(make_report()), encoding="utf8")
    return path


@pytest.fixture
def page(browser, report):
    """The report, opened from disk without a network; what the console or the network says is an error."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    said = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    asked = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(report.as_uri())
    yield opened
    assert said == [] and [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()


def filters(page):
    return page.locator("form.filters")


def shown(page):
    return page.locator("article:visible").count()


def wait_until(holds):
    """Ask again and again, since filters wait until typing has stopped; the page's own policy forbids polling in it."""
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline, "the page did not come to what was waited for"
        time.sleep(0.05)


def count_of(page, words):
    """Wait until the pager says the words, and return how many articles are shown."""
    wait_until(lambda: page.locator("output").inner_text() == words)
    return shown(page)


@needs_chromium
def test_pages_are_turned(page):
    assert count_of(page, "1–25 of 60 documents") == 25
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    assert count_of(page, "51–60 of 60 documents") == 10
    assert page.get_by_role("button", name="Next").is_disabled()
    assert page.locator("article:visible").last.locator("mark").count() >= 2


@needs_chromium
def test_filters_by_error_label_and_system(page):
    filters(page).get_by_label("Missed", exact=True).check()
    assert count_of(page, "1–12 of 12 documents") == 12
    filters(page).get_by_label("Missed", exact=True).uncheck()
    filters(page).get_by_label("Type", exact=True).check()
    assert count_of(page, "1–16 of 16 documents") == 16
    filters(page).locator("[name=system]").select_option("strong")
    assert count_of(page, "no document") == 0
    page.get_by_role("button", name="Clear").click()
    assert count_of(page, "1–25 of 60 documents") == 25
    filters(page).locator("[name=system]").select_option("strong")
    wait_until(lambda: page.locator(".sys:visible").count() == 0)


@needs_chromium
def test_search_finds_text_and_ids_without_case(page):
    filters(page).locator("[name=text]").fill("gene 17 BINDS")
    assert count_of(page, "1–1 of 1 documents") == 1
    filters(page).locator("[name=text]").fill("肺炎")
    headings = page.locator("article:visible h3")
    wait_until(lambda: [heading.split()[0] for heading in headings.all_inner_texts()] == ["zh"])


@needs_chromium
def test_a_script_in_a_document_is_text(page):
    assert page.title() == "Mini"
    assert SCRIPT in page.locator("article").first.inner_text()


@needs_chromium
def test_examples_lead_to_their_documents_through_filters(page):
    filters(page).locator("[name=text]").fill("doc-1")
    wait_until(lambda: page.locator("output").inner_text() != "1–25 of 60 documents")
    page.locator("summary", has_text="Examples, weak").click()
    link = page.locator("#errors details[open] td a").last
    wanted = link.inner_text()
    link.click()
    wait_until(lambda: page.locator("article:target:visible").count() == 1)
    assert page.locator("article:target h3").inner_text().startswith(wanted)


@needs_chromium
def test_reads_by_keyboard(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
    filters(page).get_by_label("Type", exact=True).focus()
    page.keyboard.press("Space")
    count_of(page, "1–16 of 16 documents")


@needs_chromium
def test_has_names_for_what_is_seen(page):
    assert page.locator("[role=img]:not([aria-label])").count() == 0
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("section:not([aria-labelledby])").count() == 0
    assert page.locator("form :is(input, select):not([aria-label])").evaluate_all(
        "controls => controls.every(control => control.labels.length === 1)")


@needs_chromium
@pytest.mark.parametrize("width", [pytest.param(1280, id="wide"), pytest.param(380, id="phone")])
def test_nothing_sticks_out(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


LABELS = ("DISEASE", "CHEMICAL", "GENE_OR_GENE_PRODUCT", "CELL_LINE", "CELL_TYPE", "SPECIES", "DNA", "RNA",
          "SEQUENCE_VARIANT", "ANATOMY", "MEDICAL_PROCEDURE", "LABORATORY_TEST")
SYSTEMS = ("LLM annotator", "trained on gold alone", "trained on silver and gold")


def make_wide_report(count=len(LABELS)):
    """Return a report of three systems with long names and so many labels, each of which gets every other label."""
    labels = LABELS[:count]
    documents = [Annotation("word " * 12, tuple(Mention(5 * place, 5 * place + 4, label)
                                                for place, label in enumerate(labels)), id=f"document-{number}")
                 for number in range(12)]

    def spoil(every):
        def find(document):
            by = int(document.id.removeprefix("document-"))
            return document.with_mentions(Mention(each.start, each.end, labels[(place + by) % count] if place % every
                                                  else each.label) for place, each in enumerate(document.mentions))
        return find

    part = evaluate(documents, {name: spoil(every) for name, every in zip(SYSTEMS, (2, 3, 4))})
    return build_page([part], shipped=Shipped(SYSTEMS[2], {SYSTEMS[2]: 81.2, SYSTEMS[1]: 78.9}, ["bioner_spancat"]),
                      card={"definitions": dict.fromkeys(labels, "a definition")})


@needs_chromium
@pytest.mark.parametrize("width, scheme, labels", [
    (1280, "light", 12), (1280, "dark", 12), (800, "light", 12), (1280, "light", 2), (800, "dark", 2),
    (1280, "dark", 5), (800, "light", 5)])
def test_three_systems_and_up_to_twelve_labels_need_no_scrollbar(browser, tmp_path, width, scheme, labels):
    path = tmp_path / "wide.html"
    path.write_text(render_html(make_wide_report(labels)), encoding="utf8")
    opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened.goto(path.as_uri())
    opened.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    wide = []
    for media in ("print", "screen"):
        opened.emulate_media(media=media)
        wide += opened.locator("body, .scroll, figure").evaluate_all(
            "all => all.filter(each => each.scrollWidth > each.clientWidth + 1)"
            ".map(each => each.textContent.slice(0, 60))")
    share = opened.locator("#labels figure svg").evaluate("svg => svg.clientWidth / svg.closest('section').clientWidth")
    ticks = opened.locator("#labels figure svg text").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().height)")
    opened.close()
    assert wide == [] and share > 0.9 and min(ticks) > 11


@needs_chromium
def test_inner_mentions_stand_inside_outer_ones(page):
    outer = page.locator("article .gold mark.h1:visible").first
    inner = outer.locator("mark").first
    around, inside = outer.bounding_box(), inner.bounding_box()
    assert around["y"] < inside["y"] and around["y"] + around["height"] > inside["y"] + inside["height"]


@needs_chromium
def test_dark_and_light_differ_and_can_be_read(page):
    def contrast():
        return page.evaluate("""() => {
          const light = (colour) => { const [r, g, b] = colour.match(/[\\d.]+/g).map((value) => {
            const part = value / 255; return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const style = getComputedStyle(document.body);
          const [a, b] = [light(style.color), light(style.backgroundColor)];
          return [b, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]; }""")

    page.emulate_media(color_scheme="light")
    paper, ratio = contrast()
    assert paper > 0.8 and ratio > 7
    page.emulate_media(color_scheme="dark")
    paper, ratio = contrast()
    assert paper < 0.05 and ratio > 7


@needs_chromium
def test_without_javascript_everything_is_there(browser, report):
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(report.as_uri())
    assert opened.locator("article").count() == 60 and opened.locator("article[hidden]").count() == 0
    assert opened.locator(".filters").is_hidden()
    assert opened.locator("#scores table").first.is_visible() and opened.locator("figure svg").count() >= 4
    context.close()


@needs_chromium
def test_prints_all_that_the_filters_chose(page):
    filters(page).get_by_label("Missed", exact=True).check()
    count_of(page, "1–12 of 12 documents")
    filters(page).get_by_label("Missed", exact=True).uncheck()
    count_of(page, "1–25 of 60 documents")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert shown(page) == 60 and page.locator(".filters").is_hidden()
    assert page.pdf()[:5] == b"%PDF-"


@needs_chromium
def test_two_thousand_documents_stay_usable(browser, tmp_path):
    path = tmp_path / "many.html"
    path.write_text(render_html(make_report(2000)), encoding="utf8")
    opened = browser.new_page()
    started = time.perf_counter()
    opened.goto(path.as_uri())
    count_of(opened, "1–25 of 2000 documents")
    loaded = time.perf_counter() - started
    milliseconds = opened.evaluate("""async () => {
      const form = document.querySelector(".filters");
      const started = performance.now();
      form.elements.text.value = "gene 17";
      form.dispatchEvent(new Event("input"));
      const output = form.querySelector("output");
      while (output.textContent.includes("2000")) await new Promise((resolve) => setTimeout(resolve, 5));
      return performance.now() - started; }""")
    opened.close()
    assert path.stat().st_size < 10_000_000 and loaded < 30 and milliseconds < 5000
