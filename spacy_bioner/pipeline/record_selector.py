"""A selector over records: what is kept, what is dropped, and the counts."""

from collections import Counter
from dataclasses import replace
from typing import Dict, Iterable, Iterator, List, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..annotation import Annotation, Mention
from ..formats.docbin import set_mentions
from ..ml.listeners import encode_for
from .span_selector import SpanSelector

# Label to how many mentions came in, were kept, were dropped, and could not be judged.
Counts = Dict[str, Counter]


def select_records(records: Iterable[Annotation], nlp: Language, selector: SpanSelector, counts: Counts, *,
                   batch_size: int = 64) -> Iterator[Tuple[Annotation, Annotation]]:
    """Judge the mentions of records.

    records (Iterable[Annotation]): Annotated records.
    nlp (Language): The pipeline of the selector; its tokenizer cuts the texts.
    selector (SpanSelector): The selector.
    counts (Counts): Is counted up: label to given, kept, dropped, unplaced.
    batch_size (int): Records judged at once.
    YIELDS (Tuple[Annotation, Annotation]): The record with the mentions that are kept, their score now the selector's
        probability, and with those that are dropped. A mention that does not stand at tokens is kept without a
        score: it was not judged, and what the annotator thought of it is no probability of the selector.
    """
    batch: List[Annotation] = []
    for record in records:
        batch.append(record)
        if len(batch) == batch_size:
            yield from _select(batch, nlp, selector, counts)
            batch = []
    yield from _select(batch, nlp, selector, counts)


def _select(batch: List[Annotation], nlp: Language, selector: SpanSelector,
            counts: Counts) -> Iterator[Tuple[Annotation, Annotation]]:
    docs, unplaced = [], []
    for record in batch:
        doc = nlp.make_doc(record.text)
        unplaced.append(set_mentions(doc, record.mentions, spans_key=selector.cfg["candidates_key"]))
        docs.append(doc)
    if docs:
        encode_for(nlp, selector.name, docs)
        selector.set_annotations(docs, selector.predict(docs))
    for record, doc, lost in zip(batch, docs, unplaced):
        kept = _scored(record, doc, selector.cfg["spans_key"])
        dropped = _scored(record, doc, selector.cfg["rejected_key"])
        for name, mentions in (("given", record.mentions), ("kept", kept), ("dropped", dropped), ("unplaced", lost)):
            for mention in mentions:
                counts.setdefault(mention.label, Counter())[name] += 1
        unjudged = [replace(mention, score=None) for mention in lost]
        yield record.with_mentions([*kept, *unjudged]), record.with_mentions(dropped)


def _scored(record: Annotation, doc: Doc, key: str) -> List[Mention]:
    given = {mention.key: mention for mention in record.mentions}
    group = doc.spans[key]
    return [replace(given[span.start_char, span.end_char, span.label_], score=float(score))
            for span, score in zip(group, group.attrs["scores"])]
