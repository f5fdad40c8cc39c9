"""What a report says without gold: what was not measured, and which sentences a person should check first."""

from typing import Any, List, Mapping, Sequence, Tuple, Union

from ..annotation import Annotation, Mention
from ..evaluation.silver_reference import differences
from .page import Block, Cell, Definitions, Section, Table

Metrics = Mapping[str, Any]
_NOT_MEASURED = (
    ("Precision, recall, F1", "Not known. The scores below are agreement with the annotator of the test set."),
    ("Errors of that annotator", "Not seen: what it and the pipeline both get wrong counts as correct."),
    ("Thresholds", "Chosen for agreement where the development set is not gold either."),
    ("What to do", "Check the sentences below, correct them, and use them as test and development set."),
)


def describe_unmeasured(metrics: Metrics) -> str:
    """Return in a sentence that scores are no scores against gold; empty where they are.

    metrics (Mapping[str, Any]): The metrics file.
    RETURNS (str): The sentence.
    """
    silver = metrics["gold"].get("silver")
    if not silver:
        return ""
    models = " and ".join(silver["models"]) or "a model"
    if silver["documents"] < metrics["gold"]["count"]:
        return (f"Not all of the test set is gold: {models} annotated {silver['documents']:,} of its "
                f"{metrics['gold']['count']:,} texts, so scores are in part agreement with it, not correctness.")
    return f"There is no gold: {models} annotated the test set, so scores are agreement with it, not correctness."


def make_unmeasured_section(metrics: Metrics, gold: Sequence[Annotation],
                            found: Mapping[str, Mapping[str, Annotation]], *, prefix: str,
                            targets: Mapping[str, str]) -> List[Section]:
    """Lay out what was not measured.

    metrics (Mapping[str, Any]): The metrics file.
    gold (Sequence[Annotation]): Its documents; none leaves out the sentences.
    found (Mapping[str, Mapping[str, Annotation]]): For each system, id to document.
    prefix (str): Begins the anchor of the section.
    targets (Mapping[str, str]): Id of each document that the page shows to the id of its element.
    RETURNS (List[Section]): One section; none where all is gold.
    """
    silver = metrics["gold"].get("silver")
    if not silver:
        return []
    blocks: List[Block] = [Definitions(_NOT_MEASURED)]
    texts = {document.id: document for document in gold}
    rows: List[List[Union[str, Cell]]] = [
        [Cell(id_, target=targets.get(id_, "")), *_say_differences(texts[id_], found), texts[id_].text]
        for id_ in silver["check_first"] if id_ in texts]
    if rows:
        blocks.append(Table(f"The {len(rows)} sentences to check first",
                            ["Sentence", "Only the annotator", "Only a system", "Text"], rows, words=True, note=(
                                "Confident disagreements come first, then mentions with a low score.")))
    return [Section(f"{prefix}unmeasured", "Not measured", blocks=blocks)]


def _say_differences(document: Annotation, found: Mapping[str, Mapping[str, Annotation]]) -> Tuple[str, str]:
    """Return what only the annotator, and what only some system found."""
    own = {mention.key for mention in document.mentions}
    only = {mention.key: mention for documents in found.values() if document.id in documents
            for mention in differences(document, documents[document.id])}
    return (_say(document, [mention for key, mention in only.items() if key in own]),
            _say(document, [mention for key, mention in only.items() if key not in own]))


def _say(document: Annotation, mentions: Sequence[Mention]) -> str:
    return "; ".join(f"{document.surface(mention)} ({mention.label})" for mention in sorted(
        mentions, key=lambda mention: mention.key)) or "–"
