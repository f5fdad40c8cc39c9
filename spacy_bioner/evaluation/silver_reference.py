"""Scores without gold: what the reference is made of, and which sentences a person should check first.

Where a model made the reference, a score says how well a system agrees with that model. Where the two disagree, one of
them is wrong; a confident disagreement is the most telling.
"""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation, Mention

_MADE = ("synthetic", "augmented")
# Confidence of a mention without a score.
_WITHOUT_SCORE = 0.5
MOST = 50


def describe_silver(reference: Sequence[Annotation], found: Sequence[Mapping[str, Annotation]]) -> \
        Optional[Dict[str, Any]]:
    """Describe a reference that a model made, in whole or in part.

    reference (Sequence[Annotation]): The documents that systems are measured against.
    found (Sequence[Mapping[str, Annotation]]): For each system, id to document.
    RETURNS (Optional[Dict[str, Any]]): documents (how many are not gold), models (who made them) and check_first (ids,
        at most 50, see `rank_to_check`); None where all is gold.
    """
    made = [document for document in reference if document.meta.get("origin") in _MADE]
    if not made:
        return None
    models = dict.fromkeys(str(document.meta["model"]) for document in made if document.meta.get("model"))
    return {"documents": len(made), "models": list(models), "check_first": rank_to_check(made, found)[:MOST]}


def rank_to_check(made: Sequence[Annotation], found: Sequence[Mapping[str, Annotation]]) -> List[str]:
    """Rank documents by how likely a person finds an error in them.

    made (Sequence[Annotation]): Documents as a model annotated them.
    found (Sequence[Mapping[str, Annotation]]): For each system, id to the same document.
    RETURNS (List[str]): Their ids: those with the most, and the most confident, disagreements first; then those whose
        mentions have the lowest score.
    """
    ranked = sorted((_doubt(document, [each[document.id] for each in found if document.id in each]), place)
                    for place, document in enumerate(made))
    return [made[place].id for _, place in ranked]


def _doubt(document: Annotation, others: Sequence[Annotation]) -> Tuple[float, float]:
    """Return what a document is ranked by: lower is more doubtful."""
    disagreement = sum(_confidence(mention) for other in others for mention in differences(document, other))
    return -disagreement, min((_confidence(mention) for mention in document.mentions), default=1.0)


def differences(document: Annotation, other: Annotation) -> List[Mention]:
    """Return the mentions that only one of two annotations of a text has."""
    keys = [{mention.key for mention in each.mentions} for each in (document, other)]
    return [mention for each in (document, other) for mention in each.mentions if mention.key in keys[0] ^ keys[1]]


def _confidence(mention: Mention) -> float:
    return _WITHOUT_SCORE if mention.score is None else mention.score
