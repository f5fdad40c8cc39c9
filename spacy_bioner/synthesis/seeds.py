"""Seeds: known entities that sentences are made from, collected from gold, or read from a list or an ontology."""

import csv
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..files import read_json_lines, read_lines
from .held_out import refuse_other_splits


@dataclass(frozen=True)
class Seed:
    """A known entity.

    text (str): Its name as it is written most often.
    label (str): Its label.
    count (int): How often it was met; 1 for lists.
    """

    text: str
    label: str
    count: int = 1

    def to_record(self) -> Dict[str, object]:
        return {"text": self.text, "label": self.label, "count": self.count}


@dataclass(frozen=True)
class SeedList:
    """Seeds, and what was noticed while they were gathered.

    seeds (Tuple[Seed, ...]): By label, the most frequent first.
    ambiguous (Tuple[Tuple[str, Tuple[str, ...]], ...]): Names that stand under several labels, with these labels.
    folded (int): Names that were the same as another but for case or spacing.
    """

    seeds: Tuple[Seed, ...]
    ambiguous: Tuple[Tuple[str, Tuple[str, ...]], ...] = ()
    folded: int = 0


def fold_name(text: str) -> str:
    """RETURNS (str): The name without regard to case, spacing and Unicode form, for comparison alone."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def gather_seeds(names: Iterable[Tuple[str, str, int]], *, per_label: Optional[int] = None) -> SeedList:
    """Fold names that differ in case or spacing only and keep the most frequent of each label.

    names (Iterable[Tuple[str, str, int]]): Name, label and how often it was met.
    per_label (Optional[int]): How many to keep of each label; None for all.
    RETURNS (SeedList): The seeds. A name under several labels is a seed of each and reported as ambiguous.
    """
    spellings: Dict[Tuple[str, str], Counter] = defaultdict(Counter)
    for text, label, count in names:
        text = " ".join(text.split())
        if text:
            spellings[fold_name(text), label][text] += count
    by_label: Dict[str, List[Seed]] = defaultdict(list)
    labels_of: Dict[str, List[str]] = defaultdict(list)
    for (folded, label), counter in spellings.items():
        # Ties go to the spelling that sorts first, so that the order of the input does not matter.
        text = min(counter, key=lambda spelling: (-counter[spelling], spelling))
        by_label[label].append(Seed(text, label, sum(counter.values())))
        labels_of[folded].append(label)
    seeds: List[Seed] = []
    for label in sorted(by_label):
        ranked = sorted(by_label[label], key=lambda seed: (-seed.count, seed.text))
        seeds.extend(ranked[:per_label])
    kept = {fold_name(seed.text): seed.text for seed in seeds}
    ambiguous = tuple((kept[folded], tuple(sorted(labels))) for folded, labels in sorted(labels_of.items())
                      if len(labels) > 1 and folded in kept)
    return SeedList(tuple(seeds), ambiguous, sum(len(counter) - 1 for counter in spellings.values()))


def collect_seeds(annotations: Iterable[Annotation], *, per_label: Optional[int] = None) -> SeedList:
    """Collect the most frequent mentions of each label from gold sentences of the train split.

    annotations (Iterable[Annotation]): Gold annotations; one of another split is an error, since the names of a
        held-out text must not be learned from.
    per_label (Optional[int]): How many to keep of each label; None for all.
    RETURNS (SeedList): The seeds.
    RAISES BionerError: E009 for another split, E401 where there is no mention at all.
    """
    counts: Counter = Counter()
    for annotation in refuse_other_splits(annotations):
        counts.update((annotation.surface(mention), mention.label) for mention in annotation.mentions)
    if not counts:
        raise BionerError(Errors.E401)
    return gather_seeds(((text, label, count) for (text, label), count in counts.items()), per_label=per_label)


def read_seeds(path: Path, *, per_label: Optional[int] = None, root: Optional[str] = None,
               label: Optional[str] = None) -> SeedList:
    """Read seeds from a list or an ontology.

    path (Path): `.jsonl` (text, label, count), `.csv` or `.tsv` with the columns text and label (and count), `.txt`
        with one name a line (all of one label), or `.obo`.
    per_label (Optional[int]): How many to keep of each label; None for all.
    root (Optional[str]): For an ontology, the id of the term whose descendants are meant.
    label (Optional[str]): The label of the names of a `.txt` or `.obo` file.
    RETURNS (SeedList): The seeds.
    RAISES BionerError: E402 to E404 for empty files, missing columns and unknown kinds.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="seed list"))
    if kind in (".txt", ".obo") and not label:
        raise BionerError(Errors.E403.format(path=path, wanted="a label for all its names: give --label"))
    if kind == ".jsonl":
        names = [_read_fields(path, number, record) for number, record in read_json_lines(path)]
    elif kind in (".csv", ".tsv"):
        names = _read_table(path, "," if kind == ".csv" else "\t")
    elif kind == ".txt":
        names = [(line.strip(), str(label), 1) for _, line in read_lines(path)]
    elif kind == ".obo":
        from .ontology import read_names

        names = [(name, str(label), 1) for name in read_names(path, root=root)]
    else:
        raise BionerError(Errors.E404.format(path=path))
    if not names:
        raise BionerError(Errors.E402.format(path=path))
    return gather_seeds(names, per_label=per_label)


def _read_table(path: Path, delimiter: str) -> List[Tuple[str, str, int]]:
    lines = [line for _, line in read_lines(path)]
    rows = list(csv.DictReader(lines, delimiter=delimiter))
    header = [name.strip().lower() for name in (lines[0].split(delimiter) if lines else [])]
    missing = [name for name in ("text", "label") if name not in header]
    if lines and missing:
        wanted = f"the columns text and label in its first line (missing: {', '.join(missing)})"
        raise BionerError(Errors.E403.format(path=path, wanted=wanted))
    return [_read_fields(path, number, {str(key).strip().lower(): value for key, value in row.items()})
            for number, row in enumerate(rows, start=2)]


def _read_fields(path: Path, number: int, row: Mapping[str, object]) -> Tuple[str, str, int]:
    text, label = str(row.get("text") or "").strip(), str(row.get("label") or "").strip()
    if not text or not label:
        raise BionerError(Errors.E003.format(path=path, line=number, why="a seed needs a text and a label"))
    count = str(row.get("count") or 1)
    if not count.isdigit():
        raise BionerError(Errors.E003.format(path=path, line=number, why=f"count is '{count}', not a whole number"))
    return text, label, int(count)


def check_labels(seeds: Sequence[Seed], labels: Mapping[str, str], *, path: Path) -> None:
    """Refuse seeds of a label that the schema does not know.

    seeds (Sequence[Seed]): The seeds.
    labels (Mapping[str, str]): The schema's labels.
    path (Path): Where the seeds come from, for the message.
    RAISES BionerError: E405.
    """
    unknown = sorted({seed.label for seed in seeds} - set(labels))
    if unknown:
        raise BionerError(Errors.E405.format(path=path, label=unknown[0], known=", ".join(labels)))
