"""Corrections that come back, merged into the training set: who decided what and when is kept with each record."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Collection, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation
from ..corpus.sampling import check_split
from ..corpus.sentences import split_sentences
from ..formats import guess_format, read_annotations, write_annotations
from ..formats.inception import find_undeclared
from ..formats.parsing.problems import FATES, NOTES, Problems
from ..formats.parsing.tool_records import hash_text, take_corrections
from ..temporaries import private_folder
from .choices import CHANGES, HISTORY, QUEUE, is_merged, read_history
from .decisions import DONE, SKIPPED, read_latest

# What is mended, or not meant as a correction.
_HARMLESS = NOTES | {"white_space", "shifted", "other_counting", "duplicate", "other_annotator", "not_accepted"}
# What leaves out a document as a whole.
_DROPPED = frozenset(("text_changed", "repeated_document", "unknown_document", "without_text"))
_MADE_BY_MODEL = ("model", "adapter", "prompt_hash", "temperature", "issues", "error")


@dataclass
class Answers(Problems):
    """Collects what is wrong with corrections, document by document: a reader tells of one before it yields it.

    lists_open (bool): Whether the file also lists documents that nobody has annotated; where it does not, one without
        annotation has lost it, which is told.
    lines (List[str]): A line for each document that is left out.
    left_out (int): Documents that were given out and are left out.
    skipped (int): Documents that were skipped or rejected.
    foreign (int): Decisions about sentences of other queues.
    waiting (int): Documents that nobody has answered yet, once corrections are merged.
    """

    lists_open: bool = False
    lines: List[str] = field(default_factory=list)
    left_out: int = 0
    skipped: int = 0
    foreign: int = 0
    waiting: int = 0
    _is_open: bool = False
    _is_bad: bool = False

    def add(self, kind: str, place: str, detail: str = "") -> None:
        """Note a problem; see `Problems.add`."""
        super().add(kind, place, detail)
        if kind == "from_predictions" or kind == "no_annotation" and self.lists_open:
            self._is_open = True
        elif kind not in _HARMLESS:
            self.lines.append(f"{place}{f' ({detail})' if detail else ''}: {FATES[kind].partition(': ')[2]}")
            self._is_bad |= kind != "no_text"
        self.skipped += kind == "not_accepted"
        self.left_out += kind in ("text_changed", "without_text")
        if kind in _DROPPED:
            # No document is yielded that these could belong to; the next one begins.
            self._is_open = self._is_bad = False

    def judge(self) -> bool:
        """Return whether the document that was just yielded is whole and answered, and begin the next."""
        whole = not (self._is_open or self._is_bad)
        self.left_out += self._is_bad
        self._is_open = self._is_bad = False
        return whole


@dataclass
class Merged:
    """A training set with corrections in it.

    records (List[Annotation]): The records: those that were there, in their order, then the new ones.
    taken (int): Corrections that were merged.
    renewed (int): How many of them replace an earlier version of their record.
    added (int): Mentions that people added.
    removed (int): Mentions that people removed, or whose place or label they changed.
    kept (int): Mentions that people left as they were.
    known (int): Corrections that were merged before, or are older than the latest one of their record.
    """

    records: List[Annotation]
    taken: int = 0
    renewed: int = 0
    added: int = 0
    removed: int = 0
    kept: int = 0
    known: int = 0


def read_answered(path: Path, answers: Answers, *, format: str = "") -> Iterator[Annotation]:
    """Read the documents of a tool's file that somebody has answered, and that can be read whole.

    path (Path): The file.
    answers (Answers): Takes note of the others.
    format (str): Its format; by default as its name says.
    YIELDS (Annotation): The documents.
    """
    for annotation in read_annotations(path, format, problems=answers):
        if answers.judge():
            yield annotation


def read_decided(path: Path, given: Iterable[Annotation], answers: Answers) -> Iterator[Annotation]:
    """Read the sentences of a queue that somebody is done with on the page.

    path (Path): The file of decisions, which may hold those about other queues too.
    given (Iterable[Annotation]): The queue.
    answers (Answers): Counts what was skipped, and decisions about other queues.
    YIELDS (Annotation): The sentences; meta["review"] says who decided last and when.
    RAISES BionerError: E001 and E910; see `read_latest`.
    """
    texts = {one.id: one.text for one in given}
    for one in read_latest(path):
        if texts.get(one.id) != one.record.text:
            answers.foreign += 1
        elif one.status == SKIPPED:
            answers.skipped += 1
        elif one.status == DONE:
            yield one.signed()


def count_pending(decided: Iterable[Annotation], known: Iterable[Annotation]) -> int:
    """Count decisions that are not merged yet.

    decided (Iterable[Annotation]): Sentences as `read_decided` yields them.
    known (Iterable[Annotation]): What is corrected already.
    RETURNS (int): How many.
    """
    merged = {hash_text(one.text): one for one in known}
    return sum(1 for one in decided if hash_text(one.text) not in merged
               or not is_merged(merged[hash_text(one.text)], one.meta[HISTORY][-1]))


def read_unchanged(given: Iterable[Annotation], path: Path, *, format: str = "") -> List[Annotation]:
    """Read what was given out as a tool's file gives it back where nobody changes anything.

    given (Iterable[Annotation]): What was given out.
    path (Path): The tool's file, for its name.
    format (str): Its format; by default as its name says.
    RETURNS (List[Annotation]): The records whose mentions have details, as far as the format holds them.
    """
    detailed = [one for one in given if any(mention.details() for mention in one.mentions)]
    if not detailed:
        return []
    name = format or guess_format(path)
    with private_folder("unchanged") as folder:
        # The format does not depend on a compression, nor on what lies at the path.
        copy = Path(folder) / path.name.removesuffix(".gz")
        write_annotations(copy, detailed, name, problems=Problems())
        back = list(read_annotations(copy, name, problems=Problems()))
    undeclared = find_undeclared(path) if name == "inception" else {}
    return [one.with_mentions(replace(mention, **undeclared) for mention in one.mentions) for one in back]


def merge_corrections(given: Sequence[Annotation], corrected: Iterable[Annotation], train: Iterable[Annotation], *,
                      answers: Answers, by: str, unchanged: Iterable[Annotation] = (),
                      labels: Optional[Collection[str]] = None,
                      split: str = "train", at: str = "") -> Merged:
    """Merge corrections into a training set, or into another split that was audited.

    given (Sequence[Annotation]): What was given out.
    corrected (Iterable[Annotation]): What came back, matched by id and text, or by text alone.
    train (Iterable[Annotation]): The training set; a document that a sentence was given out of is cut into sentences.
    answers (Answers): Takes note of corrections that are left out.
    by (str): Who corrected, where a correction does not say it.
    unchanged (Iterable[Annotation]): What was given out as it comes back unchanged; see `take_corrections`.
    labels (Optional[Collection[str]]): The labels that there are; by default any.
    split (str): The split that the records are of from now on.
    at (str): When, in ISO 8601, where a correction does not say it; by default now.
    RETURNS (Merged): The training set with the corrections; the records say origin gold and their split.
    RAISES BionerError: E009 for a sentence of another split; raw text is of none. E030 for a record whose metadata
        holds no corrections under their name.
    """
    at = at or datetime.now(timezone.utc).isoformat(timespec="seconds")
    records = {record.id: record for record in _cut_documents(train, given)}
    by_text = {hash_text(record.text): record.id for record in records.values()}
    merged = Merged([])
    known = {one.id: one for one in given}
    for one in take_corrections(given, _with_known_labels(corrected, labels, answers), unchanged=unchanged,
                                problems=answers):
        original = known[one.id]
        if not _is_raw_text(original):
            check_split(original, split)
        place = by_text.get(hash_text(one.text), one.id)
        if place in records and records[place].text != one.text:
            # Pool and training set were numbered apart.
            place = f"{one.id}-{hash_text(one.text)}"
        former = records.get(place)
        said = _read_signature(original, one)
        if former is not None and is_merged(former, {**said, "by": said.get("by") or by}):
            merged.known += 1
            continue
        record, (added, removed, kept) = _to_gold(original, one, former, by=said.get("by") or by,
                                                  at=said.get("at") or at, split=split)
        records[place] = replace(record, id=place)
        by_text[hash_text(one.text)] = place
        merged.taken += 1
        merged.renewed += former is not None
        merged.added, merged.removed, merged.kept = merged.added + added, merged.removed + removed, merged.kept + kept
    merged.records = list(records.values())
    answers.waiting = max(0, len(given) - merged.taken - merged.known - answers.left_out - answers.skipped)
    return merged


def _is_raw_text(annotation: Annotation) -> bool:
    """Return whether a sentence is of raw text: of no split, or of train only since nobody has labelled it."""
    split = annotation.meta.get("split")
    return split == "raw" or split == "train" and annotation.meta.get("origin") in ("raw", "synthetic")


def _cut_documents(train: Iterable[Annotation], given: Sequence[Annotation]) -> Iterator[Annotation]:
    """Cut the documents that sentences were given out of: a corrected sentence would stand beside its old version."""
    cut = {one.meta.get("document") for one in given if one.meta.get("unit") == "sentence"}
    for record in train:
        yield from split_sentences(record) if record.id in cut else [record]


def _with_known_labels(corrected: Iterable[Annotation], labels: Optional[Collection[str]],
                       answers: Answers) -> Iterator[Annotation]:
    for one in corrected:
        unknown = [mention.label for mention in one.mentions if labels is not None and mention.label not in labels]
        if unknown:
            answers.left_out += 1
            answers.lines.append(f"{one.id}: document left out: the label '{unknown[0]}' is none of those given")
        else:
            yield one


def _read_signature(original: Annotation, corrected: Annotation) -> Mapping[str, Any]:
    """Return who corrected and when, as far as a correction says it."""
    said = corrected.meta.get(HISTORY)
    # What was given out and came back says who corrected before.
    if said == original.meta.get(HISTORY) or not (isinstance(said, list) and said and isinstance(said[-1], dict)):
        return {}
    return said[-1]


def _to_gold(original: Annotation, corrected: Annotation, former: Optional[Annotation], *, by: str,
             at: str, split: str) -> Tuple[Annotation, Tuple[int, int, int]]:
    """Return the record, and how many mentions were added, removed and kept."""
    before, after = set(original.mentions), set(corrected.mentions)
    counts = (len(after - before), len(before - after), len(after & before))
    meta: Dict[str, Any] = {key: value for key, value in corrected.meta.items()
                            if key not in (*_MADE_BY_MODEL, QUEUE, HISTORY)}
    entry = {"by": by, "at": at, "text_hash": hash_text(original.text), **dict(zip(CHANGES, counts))}
    earlier = read_history(former) if former is not None else []
    meta.update({"origin": "gold", "split": split, HISTORY: [*earlier, entry]})
    return replace(corrected, meta=meta), counts
