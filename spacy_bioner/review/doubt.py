"""How much of a sentence is in doubt: candidate mentions with probabilities, and what several annotators say.

A candidate is a `Mention` with a score. Its risk is the smaller of score and one minus score: how often the better
decision about it is wrong. The risks of a sentence sum to the corrections that are to be expected there. So a long
sentence counts for more than a short one; total uncertainty works better for sequences than the mean does (Settles and
Craven 2008, An analysis of active learning strategies for sequence labeling tasks, DOI 10.3115/1613715.1613855).
"""

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Dict, Iterable, Iterator, List, Sequence, Tuple

from ..annotation import Annotation, Mention
from ..errors import BionerError, Errors

if TYPE_CHECKING:
    from spacy.language import Language

_DOUBTFUL = "doubtful"


def expected_corrections(candidates: Iterable[Mention]) -> float:
    """Sum the risks of candidates; one without a score is certain.

    candidates (Iterable[Mention]): Mentions of a sentence, those that were not chosen among them.
    RETURNS (float): The corrections to be expected.
    """
    return sum(min(mention.score, max(0.0, 1.0 - mention.score)) for mention in candidates if mention.score is not None)


def average_votes(annotations: Sequence[Annotation]) -> Tuple[Mention, ...]:
    """Give each mention of a text the mean of the scores that its annotators give it.

    This is the vote of a committee (Engelson and Dagan 1996, Minimizing manual annotation cost in supervised training
    from corpora, DOI 10.3115/981863.981905), with probabilities where an annotator has them.

    annotations (Sequence[Annotation]): What each annotator found in the same text. Found without a score counts 1, not
        found 0.
    RETURNS (Tuple[Mention, ...]): Every mention that one of them has.
    """
    votes: Dict[Mention, float] = defaultdict(float)
    for annotation in annotations:
        for mention in annotation.mentions:
            votes[mention] += 1.0 if mention.score is None else mention.score
    return tuple(replace(mention, score=min(1.0, total / len(annotations))) for mention, total in votes.items())


def find_candidates(nlp: "Language", texts: Iterable[Annotation], *, spans_key: str = "sc",
                    pipeline: str = "") -> Iterator[Tuple[Annotation, Tuple[Mention, ...]]]:
    """Run a pipeline over texts and return also what it nearly found.

    nlp (Language): The pipeline. A `bioner_spancat` in it gives its plausible spans below the thresholds too.
    texts (Iterable[Annotation]): The texts; their mentions are not looked at.
    spans_key (str): Key of the spans in Docs.
    pipeline (str): Its name, for the error.
    YIELDS (Tuple[Annotation, Tuple[Mention, ...]]): Each text with the mentions that the pipeline finds, and those that
        it finds nearly, all with scores.
    RAISES BionerError: E905 where it gives no scores.
    """
    from ..formats.docbin import doc_to_annotation
    from ..pipeline.bioner_spancat import BionerSpancat

    categorizers = [component for _, component in nlp.pipeline if isinstance(component, BionerSpancat)]
    before = [component.cfg["doubtful_key"] for component in categorizers]
    for component in categorizers:
        component.cfg["doubtful_key"] = _DOUBTFUL
    try:
        for doc, text in nlp.pipe(((text.text, text) for text in texts), as_tuples=True):
            found = doc_to_annotation(doc, spans_key).mentions
            if any(mention.score is None for mention in found):
                raise BionerError(Errors.E905.format(source=pipeline))
            nearly = doc_to_annotation(doc, _DOUBTFUL).mentions if _DOUBTFUL in doc.spans else ()
            yield text.with_mentions(found), nearly
    finally:
        for component, key in zip(categorizers, before):
            component.cfg["doubtful_key"] = key


def suggest(nearly: Sequence[Mention], *, least: float) -> List[Dict[str, object]]:
    """Return what an annotator may add with one key: candidates that were not chosen, the likeliest first.

    nearly (Sequence[Mention]): The candidates.
    least (float): Least score of a suggestion.
    RETURNS (List[Dict[str, object]]): start, end, label and score of each.
    """
    kept = sorted((mention for mention in nearly if (mention.score or 0.0) >= least),
                  key=lambda mention: (-(mention.score or 0.0), mention.key))
    return [{"start": mention.start, "end": mention.end, "label": mention.label,
             "score": round(mention.score or 0.0, 4)} for mention in kept]
