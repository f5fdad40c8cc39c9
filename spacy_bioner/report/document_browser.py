"""Documents as HTML: line by line, gold above what each system found, nested mentions as boxes in boxes.

A line that a system has as gold has it is said to be so instead of being written again. Each document carries what
the filters of the page look for, as numbers: system, kind of outcome, label.
"""

import re
from dataclasses import dataclass, replace
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from markupsafe import Markup, escape

from ..annotation import Annotation, Mention
from ..evaluation.error_types import KINDS, SpanError, find_errors

# The end of a sentence as far as a reader needs it: a mark before white space and a capital or digit, or a Chinese one.
_BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9(\[])|(?<=[。！？；])|\n+")
SHORTEST = 30


def cut_lines(text: str, places: Iterable[Tuple[int, int]]) -> List[Tuple[int, int]]:
    """Cut a text where sentences seem to end and no mention is open.

    text (str): The text.
    places (Iterable[Tuple[int, int]]): Starts and ends of mentions.
    RETURNS (List[Tuple[int, int]]): Start and end of each line; together they are the text.
    """
    cuts = [match.end() for match in _BREAK.finditer(text)]
    taken = list(places)
    lines: List[Tuple[int, int]] = []
    start = 0
    for cut in cuts:
        if cut - start >= SHORTEST and cut < len(text) and not any(first < cut < last for first, last in taken):
            lines.append((start, cut))
            start = cut
    return [*lines, (start, len(text))]


FOUND = "Right"
OUTCOMES = (*KINDS, FOUND)
PALETTE = 10


@dataclass(frozen=True)
class Row:
    """A text with marks, as one annotator has it.

    annotation (Annotation): The text and its mentions.
    remarks (Mapping[Mention, str]): What is said beside the label of a mention.
    """

    annotation: Annotation
    remarks: Mapping[Mention, str]


def render_browser(gold: Sequence[Annotation], systems: Mapping[str, Mapping[str, Annotation]], *,
                   labels: Sequence[str], anchor: str) -> Markup:
    """Write the browser of the documents of one gold set.

    gold (Sequence[Annotation]): Documents with their true mentions.
    systems (Mapping[str, Mapping[str, Annotation]]): For each system, id to document.
    labels (Sequence[str]): All labels, which fixes their colours.
    anchor (str): Prefix of ids, unique in the page.
    RETURNS (Markup): Filters, which need JavaScript and are hidden without, and all documents, which do not.
    """
    colours = {label: index % PALETTE for index, label in enumerate(labels)}
    targets = name_documents(gold, anchor=anchor)
    articles = [_render_document(document, {name: found[document.id] for name, found in systems.items()}, labels,
                                 colours, targets[document.id]) for document in gold]
    return Markup("\n").join([
        Markup('<div class="browser">'),
        _render_filters(list(systems), labels, anchor), _render_legend(labels, colours), *articles, Markup("</div>")])


def name_documents(gold: Sequence[Annotation], *, anchor: str) -> Dict[str, str]:
    """Return the id of each document to the id of its element in the page."""
    return {document.id: f"{anchor}-{number}" for number, document in enumerate(gold)}


def mark_up(annotation: Annotation, colours: Mapping[str, int],
            remarks: Optional[Mapping[Mention, str]] = None) -> Markup:
    """Write a text with its mentions as nested marks; what crosses is written in two parts that say so.

    annotation (Annotation): The text and its mentions.
    colours (Mapping[str, int]): Label to number of its colour.
    remarks (Optional[Mapping[Mention, str]]): What is said beside the label of a mention.
    RETURNS (Markup): The text, escaped, with a `mark` for each mention.
    """
    remarks = remarks or {}
    parts: List[Markup] = []
    open_: List[Tuple[int, Mention]] = []
    reached = 0
    parts_of_mentions = _cut_crossings(annotation.mentions)
    for (start, end, mention), height in zip(parts_of_mentions, _measure_heights(parts_of_mentions)):
        while open_ and open_[-1][0] <= start:
            parts += [escape(annotation.text[reached:open_[-1][0]]), Markup("</mark>")]
            reached = open_.pop()[0]
        parts += [escape(annotation.text[reached:start]),
                  _open_mark(mention, colours, remarks.get(mention, ""), height=height, first=start == mention.start)]
        reached = start
        open_.append((end, mention))
    while open_:
        end, _ = open_.pop()
        parts += [escape(annotation.text[reached:end]), Markup("</mark>")]
        reached = end
    return Markup("").join([*parts, escape(annotation.text[reached:])])


def _cut_crossings(mentions: Iterable[Mention]) -> List[Tuple[int, int, Mention]]:
    """Return parts of mentions that nest, in the order in which they open."""
    waiting = sorted(((mention.start, mention.end, mention) for mention in mentions),
                     key=lambda part: (part[0], -part[1], part[2].label))
    parts: List[Tuple[int, int, Mention]] = []
    open_: List[int] = []
    while waiting:
        start, end, mention = waiting.pop(0)
        open_ = [other for other in open_ if other > start]
        limit = min(open_, default=end)
        if end > limit:
            waiting.append((limit, end, mention))
            waiting.sort(key=lambda part: (part[0], -part[1], part[2].label))
            end = limit
        parts.append((start, end, mention))
        open_.append(end)
    return parts


def _measure_heights(parts: Sequence[Tuple[int, int, Mention]]) -> List[int]:
    """Return for each part, how many boxes stand in each other inside it at most."""
    heights = [0] * len(parts)
    for number in reversed(range(len(parts))):
        end = parts[number][1]
        inside = (heights[other] + 1 for other in range(number + 1, len(parts)) if parts[other][0] < end)
        heights[number] = max(inside, default=0)
    return heights


def _open_mark(mention: Mention, colours: Mapping[str, int], remark: str, *, height: int, first: bool) -> Markup:
    classes = [f"k{colours.get(mention.label, 0)}", *([f"h{min(3, height)}"] if height else []),
               *([] if first else ["on"]), *(["wrong"] if remark else [])]
    score = "" if mention.score is None else f" {mention.score:.2f}"
    extra = Markup(' data-e="{}"').format(remark) if remark else Markup("")
    return Markup('<mark class="{}" data-l="{}{}"{}>').format(" ".join(classes), mention.label, score, extra)


def _render_document(gold: Annotation, found: Mapping[str, Annotation], labels: Sequence[str],
                     colours: Mapping[str, int], target: str) -> Markup:
    errors = {name: find_errors(gold, annotation) for name, annotation in found.items()}
    rows = {name: Row(annotation, _remarks(errors[name])) for name, annotation in found.items()}
    places = [(mention.start, mention.end) for part in (gold, *found.values()) for mention in part.mentions]
    keys = sorted({key for number, name in enumerate(found)
                   for key in _filter_keys(number, gold, found[name], errors[name], labels)})
    wrong = ", ".join(f"{name}: {_count(len(errors[name]), 'error')}" for name in found)
    lines = [_render_line(gold, rows, start, end, colours) for start, end in cut_lines(gold.text, places)]
    return Markup('<article id="{}" data-f="{}">\n<h3>{} <small>{}</small></h3>\n{}\n</article>').format(
        target, " ".join(keys), gold.id, f"{_count(len(gold.mentions), 'mention')}; {wrong}", Markup("\n").join(lines))


def _render_line(gold: Annotation, rows: Mapping[str, Row], start: int, end: int,
                 colours: Mapping[str, int]) -> Markup:
    wanted = gold.crop(start, end, id=gold.id)
    same, parts = [], []
    for number, (name, row) in enumerate(rows.items()):
        found = row.annotation.crop(start, end, id=gold.id)
        if set(found.mentions) == set(wanted.mentions):
            same.append((number, name))
            continue
        remarks = {mention: row.remarks[shifted] for mention in found.mentions
                   if (shifted := _shift(mention, start)) in row.remarks}
        parts.append(Markup('<p class="sys" data-s="{}"><b>{}</b> {}</p>').format(
            number, name, mark_up(found, colours, remarks)))
    missed = _missed_by(rows, start, wanted.mentions)
    as_gold = Markup("").join(Markup('<i data-s="{}">{}</i>').format(number, f"= {name}") for number, name in same)
    first = Markup('<p class="gold"><b>gold</b> {}{}</p>').format(
        mark_up(wanted, colours, missed), Markup(' <span class="same">{}</span>').format(as_gold)
        if same and wanted.mentions else "")
    if not wanted.mentions and not parts:
        first = Markup('<p class="plain">{}</p>').format(wanted.text)
    return Markup("").join([Markup('<div class="line">'), first, *parts, Markup("</div>")])


def _remarks(errors: Iterable[SpanError]) -> Dict[Mention, str]:
    return {error.predicted: error.kind for error in errors if error.predicted is not None}


def _missed_by(rows: Mapping[str, Row], start: int, wanted: Sequence[Mention]) -> Dict[Mention, str]:
    """Return for the gold mentions that not every system has, who lacks them."""
    remarks = {}
    for mention in wanted:
        lacking = [name for name, row in rows.items() if _shift(mention, start) not in row.annotation.mentions]
        if lacking:
            remarks[mention] = "not found" if len(lacking) == len(rows) else f"not by {', '.join(lacking)}"
    return remarks


def _shift(mention: Mention, by: int) -> Mention:
    return replace(mention, start=mention.start + by, end=mention.end + by)


def _filter_keys(number: int, gold: Annotation, found: Annotation, errors: Sequence[SpanError],
                 labels: Sequence[str]) -> Iterable[str]:
    """Yield `system.outcome.label` of everything in a document that a filter can ask for."""
    for error in errors:
        for mention in (error.predicted, error.gold):
            if mention is not None:
                yield f"{number}.{OUTCOMES.index(error.kind)}.{labels.index(mention.label)}"
    for mention in set(gold.mentions) & set(found.mentions):
        yield f"{number}.{OUTCOMES.index(FOUND)}.{labels.index(mention.label)}"


def _render_legend(labels: Sequence[str], colours: Mapping[str, int]) -> Markup:
    items = Markup(" ").join(Markup('<mark class="k{}">{}</mark>').format(colours[label], label) for label in labels)
    return Markup('<p class="legend"><b>Labels</b> {}</p>').format(items)


def _render_filters(systems: Sequence[str], labels: Sequence[str], anchor: str) -> Markup:
    def options(names: Sequence[str]) -> Markup:
        return Markup("").join(Markup('<option value="{}">{}</option>').format(number, name)
                               for number, name in enumerate(names))

    outcomes = Markup("").join(
        Markup('<label><input type="checkbox" name="outcome" value="{}"> {}</label>').format(number, outcome)
        for number, outcome in enumerate(OUTCOMES))
    return Markup(
        '<form class="filters" hidden role="search" aria-label="Filter the documents">'
        '<label>System <select name="system"><option value="">all</option>{systems}</select></label>'
        '<label>Label <select name="label"><option value="">all</option>{labels}</select></label>'
        '<label>Text <input type="search" name="text" placeholder="in text or id" id="{anchor}-search"></label>'
        '<fieldset><legend>Holding</legend>{outcomes}</fieldset>'
        '<p class="pager"><button type="button" name="back">Previous</button> <output aria-live="polite"></output> '
        '<button type="button" name="on">Next</button> <button type="reset">Clear</button></p></form>'
    ).format(systems=options(systems), labels=options(labels), outcomes=outcomes, anchor=anchor)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
