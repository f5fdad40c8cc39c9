"""The scorer for `spacy train` and `spacy evaluate`: strict counts by characters, nested spans included."""

from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Optional

from spacy.tokens import Doc
from spacy.training import Example

from ..annotation import Annotation, Mention
from .counts import Counts, add_up, count_boundaries, count_strict, macro, micro


def score_nested_spans(examples: Iterable[Example], *, spans_key: str, **_: Any) -> Dict[str, Any]:
    """Score the spans of pairs of Docs, which may be tokenised differently.

    Keys begin with `spans_<spans_key>_`: p, r, f (strict, micro), macro_p, macro_r, macro_f, boundary_f, and
    per_type. References without the spans key are not scored; where none has it, every score is None.

    examples (Iterable[Example]): Predicted Docs and their references.
    spans_key (str): Where the spans are in `Doc.spans`.
    RETURNS (Dict[str, Any]): The scores, 0 to 1.
    """
    pairs = [(doc_mentions(example.reference, spans_key), doc_mentions(example.predicted, spans_key))
             for example in examples if spans_key in example.reference.spans]
    names = ("p", "r", "f", "macro_p", "macro_r", "macro_f", "boundary_f", "per_type")
    values: List[Optional[Any]] = [None] * len(names)
    if pairs:
        labels = add_up(count_strict(gold, predicted) for gold, predicted in pairs)
        places = micro(add_up(count_boundaries(gold, predicted) for gold, predicted in pairs))
        values = [*_scores(micro(labels)), *macro(labels), places.f1,
                  {label: dict(zip("prf", _scores(counts))) for label, counts in labels.items()}]
    return {f"spans_{spans_key}_{name}": value for name, value in zip(names, values)}


def make_nested_span_scorer(spans_key: str = "sc") -> Callable[..., Dict[str, Any]]:
    """Create the registered scorer `spacy-bioner.nested_span_scorer.v1`.

    spans_key (str): Where the spans are in `Doc.spans`.
    RETURNS (Callable[..., Dict[str, Any]]): The scorer of a component.
    """
    return partial(score_nested_spans, spans_key=spans_key)


def doc_mentions(doc: Doc, spans_key: str) -> Annotation:
    """Return the spans of a Doc as characters; a Doc without the key has none."""
    spans = doc.spans[spans_key] if spans_key in doc.spans else ()
    return Annotation(doc.text).with_mentions(Mention(span.start_char, span.end_char, span.label_) for span in spans)


def _scores(counts: Counts) -> List[float]:
    return [counts.precision, counts.recall, counts.f1]
