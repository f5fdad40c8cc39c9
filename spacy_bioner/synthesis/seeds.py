"""Seeds: known entities that sentences are made from, collected from gold, or read from a list or an ontology."""

import random
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation, Mention
from ..codecs.html.html_tokens import find_tags
from ..codecs.labels import label_book
from ..errors import BionerError, Errors
from ..files import read_json_lines, read_lines
from ..formats.jsonl import find_jsonl
from .held_out import refuse_other_splits
from .seed_tables import is_name, read_fields, read_table

_ONTOLOGIES = (".obo", ".xml")


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
    long (int): Names that were left out since they are too long.
    marked_up (int): Names that were left out since they hold what looks like a tag, as in 5-HT<sub>2</sub>: in a
        generated sentence it could not be told from one.
    """

    seeds: Tuple[Seed, ...]
    ambiguous: Tuple[Tuple[str, Tuple[str, ...]], ...] = ()
    folded: int = 0
    long: int = 0
    marked_up: int = 0


def fold_name(text: str) -> str:
    """Return the name without regard to case, spacing and Unicode form, for comparison alone."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def gather_seeds(names: Iterable[Tuple[str, str, int]], *, per_label: Optional[int] = None,
                 max_length: Optional[int] = None) -> SeedList:
    """Fold names that differ in case or spacing only and keep the most frequent of each label.

    names (Iterable[Tuple[str, str, int]]): Name, label and how often it was met.
    per_label (Optional[int]): How many to keep of each label; None for all.
    max_length (Optional[int]): Longer names, in characters, are left out before these are counted; None for none.
    RETURNS (SeedList): The seeds. A name under several labels is a seed of each and reported as ambiguous.
    """
    spellings: Dict[Tuple[str, str], Counter] = defaultdict(Counter)
    marked_up = set()
    for text, label, count in names:
        text = " ".join(text.split())
        if find_tags(text, label_book(()), ""):
            marked_up.add(text)
        elif text:
            spellings[fold_name(text), label][text] += count
    by_label: Dict[str, List[Seed]] = defaultdict(list)
    labels_of: Dict[str, List[str]] = defaultdict(list)
    long = 0
    for (folded, label), counter in spellings.items():
        # Ties go to the spelling that sorts first, so that the order of the input does not matter.
        text = min(counter, key=lambda spelling: (-counter[spelling], spelling))
        if max_length is not None and len(text) > max_length:
            long += 1
            continue
        by_label[label].append(Seed(text, label, sum(counter.values())))
        labels_of[folded].append(label)
    seeds: List[Seed] = []
    for label in sorted(by_label):
        ranked = sorted(by_label[label], key=lambda seed: (-seed.count, seed.text))
        seeds.extend(ranked[:per_label])
    kept = {fold_name(seed.text): seed.text for seed in seeds}
    ambiguous = tuple((kept[folded], tuple(sorted(labels))) for folded, labels in sorted(labels_of.items())
                      if len(labels) > 1 and folded in kept)
    return SeedList(tuple(seeds), ambiguous, sum(len(counter) - 1 for counter in spellings.values()), long,
                    len(marked_up))


def collect_seeds(annotations: Iterable[Annotation], *, per_label: Optional[int] = None,
                  max_length: Optional[int] = None) -> SeedList:
    """Collect the most frequent mentions of each label from gold sentences of the train split.

    annotations (Iterable[Annotation]): Gold annotations; one of another split is an error, since the names of a
        held-out text must not be learned from.
    per_label (Optional[int]): How many to keep of each label; None for all.
    max_length (Optional[int]): Longer names are left out.
    RETURNS (SeedList): The seeds; mentions without a letter or digit are none.
    RAISES BionerError: E009 for another split, E401 where there is no mention at all.
    """
    counts: Counter = Counter()
    for annotation in refuse_other_splits(annotations):
        counts.update((annotation.surface(mention), mention.label) for mention in annotation.mentions)
    if not counts:
        raise BionerError(Errors.E401)
    names = ((text, label, count) for (text, label), count in counts.items() if is_name(text))
    return gather_seeds(names, per_label=per_label, max_length=max_length)


def draw_mentions(sentence: Annotation, mentions: Iterable[Mention], most: int, chance: random.Random) -> List[Mention]:
    """Draw mentions of a sentence to serve as its seeds, no two of one name.

    sentence (Annotation): The sentence.
    mentions (Iterable[Mention]): Those to draw from.
    most (int): How many, where there are as many names.
    chance (random.Random): Draws.
    RETURNS (List[Mention]): One mention of each drawn name, its first with its label. Of the labels of a name one is
        drawn: a name that is asked for with two could not be tagged right.
    """
    by_name: Dict[str, Dict[str, Mention]] = {}
    for mention in mentions:
        by_name.setdefault(fold_name(sentence.surface(mention)), {}).setdefault(mention.label, mention)
    # One label alone costs no draw, so that most sentences are asked for as they would be without any such name.
    choices = [chance.choice(list(labels.values())) if len(labels) > 1 else next(iter(labels.values()))
               for labels in by_name.values()]
    return chance.sample(choices, min(most, len(choices)))


def read_seeds(path: Path, *, per_label: Optional[int] = None, max_length: Optional[int] = None,
               root: Optional[str] = None, label: Optional[str] = None) -> SeedList:
    """Read seeds from a list or an ontology.

    path (Path): `.jsonl`, also with `.gz` (text, label, count), `.csv` or `.tsv` with the columns text and label (and
        count), `.txt` with a name a line (all of one label) or with a name, a tab and its label, or an ontology:
        `.obo`, or MeSH descriptors as `.xml`. A table with a label given may have its names under "name" or "term", and
        synonyms, apart by "|", under "synonyms".
    per_label (Optional[int]): How many to keep of each label; None for all.
    max_length (Optional[int]): Longer names are left out.
    root (Optional[str]): For an ontology, the id of the term whose descendants are meant.
    label (Optional[str]): The label of the names of a `.txt` file, an ontology, or a table without labels.
    RETURNS (SeedList): The seeds.
    RAISES BionerError: E003 for a line that is no seed, E402 to E404 for empty files, missing columns and unknown
        kinds, E419 for a root or label that the file has no use for.
    """
    path = find_jsonl(path) if ".jsonl" in Path(path).name else Path(path)
    kind = Path(path.name.removesuffix(".gz")).suffix.lower()
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="seed list"))
    if root and kind not in _ONTOLOGIES:
        raise BionerError(Errors.E419.format(option="root", wanted="an ontology (.obo, .xml)", path=path))
    if kind == ".txt":
        names = _read_lines(path, label)
    elif kind in _ONTOLOGIES:
        from .ontology import read_names

        names = [(name, _need_label(path, label), 1) for name in read_names(path, root=root) if is_name(name)]
    elif label and kind == ".jsonl":
        raise BionerError(Errors.E419.format(option="label", wanted="a list without labels", path=path))
    elif kind == ".jsonl":
        names = [read_fields(path, number, record) for number, record in read_json_lines(path)]
    elif kind in (".csv", ".tsv"):
        names = read_table(path, "," if kind == ".csv" else "\t", label=label)
    else:
        raise BionerError(Errors.E404.format(path=path))
    if not names:
        raise BionerError(Errors.E402.format(path=path))
    return gather_seeds(names, per_label=per_label, max_length=max_length)


def _need_label(path: Path, label: Optional[str]) -> str:
    if not label:
        wanted = "a label for all its names (label)"
        raise BionerError(Errors.E403.format(path=path, wanted=wanted))
    return label


def _read_lines(path: Path, label: Optional[str]) -> List[Tuple[str, str, int]]:
    """Return the names of a .txt file; with a tab in it, its second column is labels."""
    lines = list(read_lines(path))
    if not any("\t" in line for _, line in lines):
        return [read_fields(path, number, {"text": line, "label": _need_label(path, label)}) for number, line in lines]
    if label:
        raise BionerError(Errors.E419.format(option="label", wanted="a list without labels", path=path))
    rows = [(number, line.split("\t")) for number, line in lines]
    if [field.strip().lower() for field in rows[0][1][:2]] == ["text", "label"]:
        rows = rows[1:]
    return [read_fields(path, number, dict(zip(("text", "label", "count"), fields))) for number, fields in rows]


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
