"""What a language model said of a Doc, written into it: the same way in both components that ask one."""

from typing import Tuple

from spacy.tokens import Doc

from ..annotation import Annotation, Mention
from ..formats.docbin import get_meta, set_mentions


def set_annotation(doc: Doc, annotation: Annotation, *, spans_key: str) -> Tuple[Mention, ...]:
    """Write an annotation into a Doc.

    doc (Doc): The Doc, tokenised in any way.
    annotation (Annotation): Mentions, and metadata that goes into `doc.user_data["meta"]`.
    spans_key (str): Where the mentions go in `Doc.spans`.
    RETURNS (Tuple[Mention, ...]): The mentions that begin or end inside a token: they are not in the Doc, and
        counted as the issue "off_boundary".
    """
    lost = set_mentions(doc, annotation.mentions, spans_key=spans_key)
    found = get_meta(doc)
    # Error and origin of an earlier annotation do not hold for this one.
    before = {key: value for key, value in found.items() if key not in ("error", "origin")}
    meta = {**before, **annotation.meta}
    if lost:
        meta["issues"] = {**meta.get("issues", {}), "off_boundary": len(lost)}
    held = doc.user_data.get("meta")
    if held and not found:
        # Someone else's, in a form that says nothing here.
        doc.user_data["meta_before"] = held
    doc.user_data["meta"] = meta
    doc.user_data["origin"] = "synthetic"
    return lost
