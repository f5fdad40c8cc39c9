"""The page of a corpus: what `inspect` shows, as HTML and as text."""

from typing import Any, Counter, Dict, List, Mapping, Sequence, Tuple

from markupsafe import Markup

from ..annotation import Annotation
from ..corpus.summary import Inspection
from ..corpus.validation import CorpusFigures, count_unseen
from ..formats.parsing.problems import Problems
from .document_browser import PALETTE, mark_up
from .page import Block, Chapter, Definitions, Fragment, Page, Plot, Section, Table
from .plots import plot_bars

# Upper ends of the classes of lengths, in pre-tokens; the last class is open.
_MENTION_CLASSES = (1, 2, 3, 4, 5, 7, 10, 15)
_TEXT_CLASSES = (10, 20, 30, 40, 60, 100, 200, 300)
_ROWS = 15
_MOST_COLUMNS = 5
_EXAMPLE_LENGTH = 600


def build_page(name: str, inspection: Inspection, problems: Problems, *, pictures: bool) -> Page:
    """Write down what was seen.

    name (str): Name of the corpus.
    inspection (Inspection): What was seen.
    problems (Problems): What was left out or changed while reading.
    pictures (bool): Whether there are plots and coloured examples, as in HTML; else all is words and numbers.
    RETURNS (Page): The page.
    """
    parts = inspection.parts
    records, mentions = (sum(getattr(figures, key) for figures in parts.values()) for key in ("records", "mentions"))
    leaks = sum(max(shared.texts, shared.sentences) for shared in inspection.shared)
    facts = [(f"{records:,}", "records"), (f"{mentions:,}", "mentions"), (str(len(inspection.labels())), "labels"),
             (f"{leaks:,}", "texts or sentences in two parts")]
    sections = [
        _count_section(inspection), _label_section(inspection, pictures), _length_section(parts, pictures),
        _leak_section(inspection), _problem_section(inspection, problems), _ambiguity_section(parts),
        _example_section(inspection, pictures),
    ]
    lead = f"{records:,} records with {mentions:,} mentions in {len(parts)} parts."
    return Page(f"Corpus {name}", lead, [Chapter("", [section for section in sections if section.blocks])], facts)


def _count_section(inspection: Inspection) -> Section:
    parts = inspection.parts
    train = parts["train"].surfaces if "train" in parts else {}
    rows: List[Sequence[str]] = [
        ("records", *_each(parts, lambda part: f"{part.records:,}")),
        ("records without mentions", *_each(parts, lambda part: _share(part.without_mention, part.records))),
        ("pre-tokens", *_each(parts, lambda part: f"{part.units:,}")),
        ("mentions", *_each(parts, lambda part: f"{part.mentions:,}")),
        ("distinct mentions", *_each(parts, lambda part: f"{len(part.surfaces):,}")),
        ("nested mentions", *_each(parts, lambda part: _share(part.nested, part.mentions))),
        ("deepest nesting", *_each(parts, lambda part: str(max(part.depths, default=0)))),
        ("mentions with two labels", *_each(parts, lambda part: _share(part.same_place, part.mentions))),
        ("crossing pairs", *_each(parts, lambda part: f"{part.crossing:,}")),
    ]
    if train:
        rows.append(("mentions not seen in train", *(
            "" if name == "train" else _share(count_unseen(part, train), part.mentions)
            for name, part in parts.items())))
    for key in ("split", "origin", "corpus", "lang", "unit"):
        if any(set(part.meta.get(key, ())) - {""} for part in parts.values()):
            rows.append((key, *_each(parts, lambda part, key=key: _values(part.meta.get(key, Counter())))))
    return Section("counts", "Counts", blocks=[_table("What each part holds", ["part", *parts], rows)])


def _label_section(inspection: Inspection, pictures: bool) -> Section:
    parts, labels = inspection.parts, inspection.labels()
    if not labels:
        return Section("labels", "Labels")
    rows = [[label, *_each(parts, lambda part, label=label: _share(part.labels[label], part.mentions))]
            for label in labels]
    blocks: List[Block] = [_table("Mentions of each label", ["label", *parts], rows)]
    if pictures and len(labels) > 1 and len(parts) <= _MOST_COLUMNS:
        heights = {name: [100 * part.labels[label] / part.mentions for label in labels]
                   for name, part in parts.items() if part.mentions}
        blocks.insert(0, Plot("Labels of each part", plot_bars(labels, heights, axis="% of the mentions"),
                              "Bars of the share of each label in each part; the same numbers stand in the table."))
    if inspection.unknown_labels:
        unknown = [(label, f"{count:,}") for label, count in inspection.unknown_labels.items()]
        blocks.append(Table("Labels that the schema lacks", ["label", "mentions"], unknown))
    return Section("labels", "Labels", blocks=blocks)


def _length_section(parts: Mapping[str, CorpusFigures], pictures: bool) -> Section:
    blocks: List[Block] = []
    for caption, key, ends in (("mentions", "mention_lengths", _MENTION_CLASSES),
                               ("records", "text_lengths", _TEXT_CLASSES)):
        filled = {name: getattr(part, key) for name, part in parts.items() if getattr(part, key)}
        if not filled:
            continue
        names = _class_names(ends)
        shares = {name: _class_shares(lengths, ends) for name, lengths in filled.items()}
        drawn = pictures and len(filled) <= _MOST_COLUMNS
        if drawn:
            blocks.append(Plot(f"Length of {caption}", plot_bars(names, shares, axis=f"% of the {caption}",
                                                                 across="length in pre-tokens"),
                               f"Bars of how many {caption} have which length; the same numbers stand in the table."))
        rows = [[name, *(f"{values[place]:.1f} %" for values in shares.values())] for place, name in enumerate(names)]
        rows += [[word, *(str(_quantile(lengths, level)) for lengths in filled.values())]
                 for word, level in (("median", 0.5), ("95% are at most", 0.95), ("longest", 1.0))]
        blocks.append(_table(f"Length of {caption} in pre-tokens", ["pre-tokens", *filled], rows, folded=drawn))
    intro = "A pre-token is a run of letters and digits, one Chinese character, or one other visible character."
    return Section("lengths", "Lengths", intro, blocks)


def _leak_section(inspection: Inspection) -> Section:
    rows = [(f"{shared.first}, {shared.second}", f"{shared.texts:,}", f"{shared.sentences:,}",
             "; ".join(" = ".join(pair) for pair in shared.examples))
            for shared in [*inspection.shared, *inspection.repeated] if shared]
    blocks: List[Block] = []
    if inspection.shared and not any(inspection.shared):
        blocks.append(Definitions([("Same text", "none in two parts")]))
    if rows:
        note = ("Texts are compared by their letters and digits. A part with itself: records whose text came before. "
                "Sentences of fewer than five pre-tokens, such as headings, are not counted.")
        blocks.append(Table("Same text", ["parts", "whole records", "sentences", "such as"], rows, note, words=True))
    if inspection.near:
        near = [(f"{first} {one}", f"{second} {other}", f"{share:.0%}")
                for first, one, second, other, share in inspection.near[:_ROWS]]
        note = f"{len(inspection.near):,} pairs of different parts share more than half of their word trigrams."
        blocks.append(Table("Nearly the same text", ["record", "record", "shared trigrams"], near, note, words=True))
    elif not inspection.near_sought:
        blocks.append(Definitions([("Nearly the same text", "not looked for in a corpus of this size")]))
    elif len(inspection.parts) > 1:
        blocks.append(Definitions([("Nearly the same text", "none in two parts")]))
    return Section("leaks", "Texts in two parts", "What is trained on must not be tested on.", blocks)


def _problem_section(inspection: Inspection, problems: Problems) -> Section:
    rows = [("reading", f"{count:,}", fate, first) for _, count, fate, first in problems.table()]
    rows += [(name, f"{count:,}", fate, first)
             for name, oddities in inspection.oddities.items() for _, count, fate, first in oddities.table()]
    blocks: List[Block] = [Table("What was noticed", ["part", "count", "what", "first"], rows, words=True)] if rows \
        else [Definitions([("Problems", "none")])]
    return Section("problems", "Problems", blocks=blocks)


def _ambiguity_section(parts: Mapping[str, CorpusFigures]) -> Section:
    several: Dict[str, Counter[str]] = {}
    for part in parts.values():
        for surface, labels in part.surfaces.items():
            several.setdefault(surface, Counter()).update(labels)
    several = {surface: labels for surface, labels in several.items() if len(labels) > 1}
    most = sorted(several.items(), key=lambda item: (-sum(item[1].values()), item[0]))[:_ROWS]
    rows = [(surface, _values(labels)) for surface, labels in most]
    note = f"{len(several):,} surfaces have several labels; context decides, or the annotation is uneven."
    blocks = [Table("Same surface, several labels", ["surface", "labels"], rows, note, words=True)] if rows else []
    return Section("ambiguity", "Ambiguous surfaces", blocks=blocks)


def _example_section(inspection: Inspection, pictures: bool) -> Section:
    colours = {label: place % PALETTE for place, label in enumerate(inspection.labels())}
    blocks: List[Block] = []
    for name, annotations in inspection.examples.items():
        shown = [_shorten(annotation) for annotation in annotations]
        if pictures and shown:
            texts = [Markup('<article class="example"><h3>{} <small>{}</small></h3><p class="text">{}</p></article>')
                     .format(annotation.id, name, mark_up(annotation, colours)) for annotation in shown]
            blocks.append(Fragment(Markup('<div class="browser">{}</div>').format(Markup("").join(texts))))
        elif shown:
            blocks.append(Definitions([(f"{name} {annotation.id}", bracket(annotation)) for annotation in shown]))
    return Section("examples", "Examples", blocks=blocks)


def bracket(annotation: Annotation) -> str:
    """Return the text on one line with its mentions in brackets, each with its label in front."""
    opens: Dict[int, str] = {}
    for mention in annotation.mentions:
        opens[mention.start] = opens.get(mention.start, "") + f"[{mention.label}: "
    closes = Counter[int](mention.end for mention in annotation.mentions)
    marks = ("]" * closes[place] + opens.get(place, "") + character
             for place, character in enumerate(annotation.text + " "))
    return " ".join("".join(marks).split())


def _shorten(annotation: Annotation) -> Annotation:
    """Return its beginning, cut before the mention that would be cut, and marked so, if it is long."""
    if len(annotation.text) <= _EXAMPLE_LENGTH:
        return annotation
    across = (mention.start for mention in annotation.mentions if mention.start < _EXAMPLE_LENGTH < mention.end)
    cut = annotation.crop(0, min(across, default=_EXAMPLE_LENGTH), id=annotation.id)
    return Annotation(f"{cut.text} \u2026", cut.mentions, id=annotation.id)


def _table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, folded: bool = False) -> Table:
    """Return the table with a column for each part, or, where there are many, a row for each."""
    if len(header) > _MOST_COLUMNS + 1:
        header, *rows = zip(header, *rows)
    return Table(caption, header, rows, folded=folded)


def _each(parts: Mapping[str, CorpusFigures], say: Any) -> Tuple[str, ...]:
    return tuple(say(part) for part in parts.values())


def _share(count: int, whole: int) -> str:
    return f"{count:,} ({count / whole:.1%})" if whole else "0"


def _values(counts: "Counter[str]") -> str:
    return ", ".join(f"{value or '(none)'} {count:,}" for value, count in counts.most_common(4))


def _class_names(ends: Sequence[int]) -> List[str]:
    starts = [1, *(end + 1 for end in ends)]
    names = [str(end) if start == end else f"{start}\u2013{end}" for start, end in zip(starts, ends)]
    return [*names, f"over {ends[-1]}"]


def _class_shares(lengths: "Counter[int]", ends: Sequence[int]) -> List[float]:
    counts = [0] * (len(ends) + 1)
    for length, count in lengths.items():
        counts[sum(length > end for end in ends)] += count
    return [100 * count / sum(counts) for count in counts]


def _quantile(lengths: "Counter[int]", level: float) -> int:
    """Return the length that this part of all does not exceed."""
    left = level * sum(lengths.values())
    for length in sorted(lengths):
        left -= lengths[length]
        if left <= 1e-9:
            return length
    return max(lengths)
