"""What the annotation tools have in common: hashes of texts, and corrections matched with what was given out."""

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Collection, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ...annotation import Annotation, Mention, read_details
from ...errors import BionerError, Errors
from .problems import Problems, strict_unless

Key = Tuple[int, int, str]
# Seconds of the year 9999; later ones are no time.
_LATEST = 253370764800


def hash_text(text: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a text, by which a change of it is found."""
    return hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()[:16]


def is_new(annotation: Annotation, stated_hash: Any, seen: Set[str], place: str, problems: Problems) -> bool:
    """Check that a document has the text that was given out, and that its id was not there before.

    annotation (Annotation): A document as a tool returns it.
    stated_hash (Any): The hash of the text that was given out; None where the tool had it from elsewhere.
    seen (Set[str]): The ids so far; the id is added.
    place (str): File and line, for problems.
    problems (Problems): Takes note where it is left out.
    """
    if stated_hash is not None and stated_hash != hash_text(annotation.text):
        problems.add("text_changed", place, annotation.id)
        return False
    if annotation.id in seen:
        problems.add("repeated_document", place, annotation.id)
        return False
    seen.add(annotation.id)
    return True


def read_tool_details(held: Any, place: str) -> Dict[str, Any]:
    """Return identifiers, attributes and note of a span, as arguments of a `Mention`; BionerError E030 for others."""
    try:
        return read_details(held) if isinstance(held, dict) else {}
    except BionerError as error:
        raise BionerError(Errors.E030.format(place=place, why=error)) from None


def sign_meta(meta: Any, by: Any, at: Any) -> Dict[str, Any]:
    """Add who annotated a document and when to its metadata, after the corrections before.

    meta (Any): The metadata, as the tool's file has it.
    by (Any): Who: a name, a number, or an object with a name.
    at (Any): When: ISO 8601, or seconds since 1970.
    RETURNS (Dict[str, Any]): The metadata; as it was where neither is said.
    """
    kept = meta if isinstance(meta, dict) else {}
    if isinstance(by, dict):
        by = next((by[key] for key in ("email", "username", "id") if by.get(key)), None)
    said = {"by": str(by)} if isinstance(by, (str, int)) and str(by).strip() and not isinstance(by, bool) else {}
    if type(at) in (int, float) and 0 < at < _LATEST:
        said["at"] = datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="seconds")
    elif isinstance(at, str) and at.strip():
        said["at"] = at
    if not said:
        return kept
    former = kept.get("review")
    return {**kept, "review": [*(former if isinstance(former, list) else ()), said]}


def note_relations(held: Any, place: str, problems: Problems) -> None:
    """Note each relation of a document, which is not carried over; or that they are no list."""
    if held and not isinstance(held, list):
        problems.add("bad_line", place, f"relations {str(held)[:60]}")
        return
    for _ in held or ():
        problems.add("relation", place)


def take_corrections(originals: Iterable[Annotation], corrected: Iterable[Annotation], *,
                     unchanged: Iterable[Annotation] = (), labels: Optional[Collection[str]] = None,
                     problems: Optional[Problems] = None) -> Iterator[Annotation]:
    """Match what comes back from a tool with what was given out, by id and text, or by text alone.

    originals (Iterable[Annotation]): What was given out.
    corrected (Iterable[Annotation]): What came back.
    unchanged (Iterable[Annotation]): The originals as they come back where nobody changes anything, which tells what
        the tool does not hold from what was removed; by default it holds no details.
    labels (Optional[Collection[str]]): The labels that there are; by default any.
    problems (Optional[Problems]): Takes note of changed texts, unknown documents and labels; without it they are
        an error.
    YIELDS (Annotation): Each correction under the id of its original, with its metadata, and with those identifiers,
        attributes and notes of mentions that stayed, or whose edge or label was changed, which the tool does not hold.
        Nobody's score stands for what a person has decided.
    """
    problems = strict_unless(problems)
    by_id: Dict[str, Annotation] = {}
    by_text: Dict[str, Annotation] = {}
    for original in originals:
        by_id.setdefault(original.id, original)
        by_text.setdefault(hash_text(original.text), original)
    shown = {(one.id, mention.key): mention for one in unchanged for mention in one.mentions}
    done: Set[str] = set()
    for one in corrected:
        found = by_id.get(one.id)
        # Tools number what has lost its id, and such a number may be the id of another text.
        if found is None or found.text != one.text:
            found = by_text.get(hash_text(one.text), found)
        if found is None:
            problems.add("unknown_document", one.id)
        elif found.text != one.text:
            problems.add("text_changed", one.id)
        elif found.id in done:
            problems.add("repeated_document", one.id)
        else:
            done.add(found.id)
            yield _correct(found, one, shown, labels, problems)


def _correct(original: Annotation, corrected: Annotation, shown: Mapping[Tuple[str, Key], Mention],
             labels: Optional[Collection[str]], problems: Problems) -> Annotation:
    known = {**{mention.key: mention for mention in original.mentions},
             **_find_changed(original.mentions, corrected.mentions)}
    kept: List[Mention] = []
    for mention in corrected.mentions:
        if labels is not None and mention.label not in labels:
            problems.add("unknown_label", original.id, f"{mention.start}-{mention.end} {mention.label}")
            continue
        former = known.get(mention.key, mention)
        before = shown.get((original.id, former.key), Mention(*former.key))
        # A changed mention without details was drawn anew, whatever the tool held of the one before.
        is_new = former.key != mention.key and not mention.details()
        kept.append(_restore(mention, former, Mention(*former.key) if is_new else before))
    return replace(original.with_mentions(kept), meta={**original.meta, **corrected.meta})


def _find_changed(before: Sequence[Mention], after: Sequence[Mention]) -> Dict[Key, Mention]:
    """Match mentions whose edge or label was changed with what they were, where there is no doubt.

    before (Sequence[Mention]): The mentions that were given out.
    after (Sequence[Mention]): Those that came back.
    RETURNS (Dict[Key, Mention]): Each new one that overlaps a single one that is gone, and is the single one to do so,
        if they have the same label or the same place.
    """
    kept = {mention.key for mention in before} & {mention.key for mention in after}
    pairs = [(old, new) for old in before if old.key not in kept for new in after if new.key not in kept
             and (old.label == new.label and old.start < new.end and new.start < old.end
                  or (old.start, old.end) == (new.start, new.end))]
    olds, news = Counter(old.key for old, _ in pairs), Counter(new.key for _, new in pairs)
    return {new.key: old for old, new in pairs if olds[old.key] == news[new.key] == 1}


def _restore(mention: Mention, former: Mention, shown: Mention) -> Mention:
    """Return a mention without score, and with those details of its original that the tool did not hold.

    mention (Mention): As it came back.
    former (Mention): As it was given out.
    shown (Mention): As it comes back unchanged.
    """
    unheld = {name: value for name, value in former.attributes.items() if name not in shown.attributes}
    changed = {name: value for name, value in mention.attributes.items()
               if name not in former.attributes or value != shown.attributes.get(name)}
    stayed = {name: value for name, value in former.attributes.items() if name in mention.attributes}
    return replace(mention, score=None, ids=former.ids if mention.ids == shown.ids else mention.ids,
                   note=former.note if mention.note == shown.note else mention.note,
                   attributes={**unheld, **stayed, **changed})
