"""What would fail, or train badly, hours later: looked for before anything expensive begins."""

import re
from typing import Dict, Iterable, List, Mapping, Tuple

from packaging.version import InvalidVersion, Version

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..formats.parsing.problems import Problems
from ..tokens import find_units

# Kind of finding: what it means for the training.
READINESS: Dict[str, str] = {
    "off_boundary": "mention that begins or ends inside a pre-token: no pipeline can find it",
    "label_without_mention": "label of the schema without a mention in the gold sample: it cannot be learned",
}
# What `spacy package` takes, after the language and "bioner_".
_PACKAGE = re.compile(r"[A-Za-z0-9_]*[A-Za-z0-9]")


def check_names(corpus: str, version: str) -> None:
    """Refuse names that the last stage, the wheel, cannot have.

    corpus (str): Name of the corpus, which is a part of the name of the wheel and of paths.
    version (str): Version of the wheel, empty where it is not known.
    RAISES BionerError: E050 for a name, E051 for a version that no package can have.
    """
    if not _PACKAGE.fullmatch(corpus):
        raise BionerError(Errors.E050.format(name=corpus))
    try:
        Version(version or "0")
    except InvalidVersion:
        raise BionerError(Errors.E051.format(version=version)) from None


def refuse_repeated_ids(splits: Mapping[str, Iterable[Annotation]]) -> None:
    """Refuse two records of one id: samples, replies and predictions are told apart by it.

    splits (Mapping[str, Iterable[Annotation]]): The records of each split.
    RAISES BionerError: E049 with the id and both splits.
    """
    seen: Dict[str, str] = {}
    for split, records in splits.items():
        for record in records:
            if record.id in seen:
                raise BionerError(Errors.E049.format(id=record.id, first=seen[record.id], second=split))
            seen[record.id] = split


def look_at_mentions(splits: Mapping[str, Iterable[Annotation]], sample: Iterable[Annotation],
                     labels: Iterable[str], *, strict: bool = False) -> List[Tuple[str, int, str, str]]:
    """Find mentions that cannot be marked, and labels that cannot be learned.

    splits (Mapping[str, Iterable[Annotation]]): The records of each split.
    sample (Iterable[Annotation]): The gold sentences that are trained on.
    labels (Iterable[str]): The labels of the schema.
    strict (bool): Whether the first finding is an error.
    RETURNS (List[Tuple[str, int, str, str]]): Kind, count, meaning and first place of each finding.
    RAISES BionerError: E010 for the first finding where it is strict.
    """
    found = Problems(strict=strict, fates=READINESS)
    for split, records in splits.items():
        for record in records:
            units = find_units(record.text) if record.mentions else []
            starts, ends = {start for start, _ in units}, {end for _, end in units}
            for mention in record.mentions:
                if mention.start not in starts or mention.end not in ends:
                    found.add("off_boundary", f"{record.id} of {split}", f"'{record.surface(mention)[:60]}'")
    present = {mention.label for sentence in sample for mention in sentence.mentions}
    for label in labels:
        if label not in present:
            found.add("label_without_mention", f"'{label}'")
    return found.table()
