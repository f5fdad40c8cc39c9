"""Reading a corpus of one's own: files of any format become the parts train, dev, test and raw of a corpus folder."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..files import read_lines
from ..formats import FORMATS, is_corpus_file, read_annotations
from ..formats.inception import TYPE_SYSTEM
from ..formats.parsing.lines import read_text
from ..formats.parsing.problems import Problems
from ..formats.plain_text import find_annotated_form
from .leakage import normalise

PARTS = ("train", "dev", "test", "raw")
# Shares of the documents that dev and test get where no file is named so.
SHARES = {"dev": 0.15, "test": 0.15}
_NAMES = {"train": "train", "dev": "dev", "valid": "dev", "val": "dev", "test": "test", "raw": "raw",
          "unlabeled": "raw", "unlabelled": "raw"}
# Lower-case letters before or after a word belong to it: "latest" is no test set, "NCBItrainset" is a training set.
_NAMED = re.compile(rf"(?<![a-z])(?i:({'|'.join(_NAMES)})(?:ing|set|el|elopment|ation)*)(?![a-z])")


@dataclass
class ImportedCorpus:
    """The documents of each part, and what was noticed.

    parts (Dict[str, List[Annotation]]): Those of train, dev, test and raw that have documents.
    split (bool): Whether documents were divided here, since no file was named dev or test.
    problems (Problems): What could not be read, or was changed.
    """

    parts: Dict[str, List[Annotation]] = field(default_factory=dict)
    split: bool = False
    problems: Problems = field(default_factory=Problems)

    def label_examples(self, count: int = 3) -> Dict[str, Tuple[int, List[str]]]:
        """Collect the most frequent names of each label in train.

        count (int): How many names of a label.
        RETURNS (Dict[str, Tuple[int, List[str]]]): Label to its number of mentions and the names.
        """
        found: Dict[str, Counter] = {}
        for record in self.parts.get("train", ()):
            for mention in record.mentions:
                found.setdefault(mention.label, Counter())[" ".join(record.surface(mention).split())] += 1
        return {label: (names.total(), [name for name, _ in names.most_common(count)])
                for label, names in sorted(found.items())}


def import_corpus(paths: Sequence[Path], *, corpus: str, lang: str, seed: int = 0,
                  labels: Optional[Mapping[str, str]] = None, schema: str = "") -> ImportedCorpus:
    """Read files and divide their documents into the parts of a corpus.

    paths (Sequence[Path]): Files of the formats that are read, folders of brat files, folders that hold such files, and
        .txt files as raw text: a document a line, or of a folder a document a file. A file named train, dev, test or
        raw is that part; other documents are divided.
    corpus (str): Name of the corpus, for the metadata.
    lang (str): Language of the texts.
    seed (int): Random seed of the division.
    labels (Optional[Mapping[str, str]]): The labels that are known; None allows any.
    schema (str): Where the labels are from, for the error.
    RETURNS (ImportedCorpus): The documents; there may be raw text alone.
    RAISES BionerError: E001 and E043 where there is no corpus file, E008 for an empty one, E014 for a label that the
        schema lacks, E044 for too few documents.
    """
    imported = ImportedCorpus()
    read: Dict[str, List[Annotation]] = {name: [] for name in (*PARTS, "")}
    ids: Counter = Counter()
    given = set(map(Path, paths))
    for path in find_sources(paths):
        part = tell_part(path)
        count = 0
        for record in _read(path, imported.problems, by_line=path in given):
            count += 1
            for mention in record.mentions:
                if labels is not None and mention.label not in labels:
                    raise BionerError(Errors.E014.format(path=path, id=record.id, label=mention.label, schema=schema,
                                                         known=", ".join(labels)))
            ids[record.id] += 1
            name = record.id if ids[record.id] == 1 else f"{record.id}-{ids[record.id]}"
            read[part].append(Annotation(record.text, record.mentions, id=name, meta={
                **record.meta, "corpus": corpus, "lang": lang, "origin": "raw" if part == "raw" else "gold"}))
        if not count:
            raise BionerError(Errors.E008.format(path=path))
    missing = [name for name in ("dev", "test") if not read[name]]
    pool = [*read["train"], *read.pop("")]
    if read["raw"] and not any((pool, read["dev"], read["test"])):
        # Raw text and labels are enough for a teacher that is not fine-tuned.
        imported.parts = {"raw": read["raw"]}
    else:
        imported.split = bool(missing)
        imported.parts = {**read, **divide(pool, missing, seed=seed)}
    for name, records in imported.parts.items():
        # Raw text is taken for training, so it is of the split train.
        split = "train" if name == "raw" else name
        kept = [record.with_mentions(()) if name == "raw" else record for record in records]
        imported.parts[name] = [record.with_meta(split=split) for record in kept]
    return imported


def divide(records: Sequence[Annotation], missing: Sequence[str], *, seed: int) -> Dict[str, List[Annotation]]:
    """Divide documents into train and the parts that are missing; documents of one text stay together.

    records (Sequence[Annotation]): The documents.
    missing (Sequence[str]): "dev", "test", both or none.
    seed (int): Random seed.
    RETURNS (Dict[str, List[Annotation]]): train and the missing parts, each with at least one document.
    RAISES BionerError: E044 where there are fewer documents than parts.
    """
    groups = _group(records)
    names = sorted(groups)
    if len(names) <= len(missing):
        raise BionerError(Errors.E044.format(count=len(names), wanted=len(missing) + 1))
    Random(seed).shuffle(names)
    parts: Dict[str, List[Annotation]] = {}
    for part in missing:
        size = min(max(1, round(SHARES[part] * len(groups))), len(names) - 1)
        parts[part] = [record for name in names[:size] for record in groups[name]]
        names = names[size:]
    return {"train": [record for name in sorted(names) for record in groups[name]], **parts}


def _group(records: Sequence[Annotation]) -> Dict[str, List[Annotation]]:
    """Put records together that share a document or a text, also by way of others; a group has the name of its first
    document."""
    parents: Dict[str, str] = {}

    def find_root(key: str) -> str:
        while parents.setdefault(key, key) != key:
            parents[key] = key = parents[parents[key]]
        return key

    documents = [f"id {record.meta.get('document', record.id)}" for record in records]
    for record, document in zip(records, documents):
        parents[find_root(normalise(record.text))] = find_root(document)
    names: Dict[str, str] = {}
    groups: Dict[str, List[Annotation]] = {}
    for record, document in zip(records, documents):
        groups.setdefault(names.setdefault(find_root(document), document), []).append(record)
    return groups


def find_sources(paths: Iterable[Path]) -> Iterator[Path]:
    """List what is to be read.

    paths (Iterable[Path]): Files and folders.
    YIELDS (Path): Each file, and each folder of brat files; not the type system beside documents of INCEpTION.
    RAISES BionerError: E001 where a path is missing, E043 for a folder without a corpus file.
    """
    for path in map(Path, paths):
        if not path.exists():
            raise BionerError(Errors.E001.format(path=path, wanted="file or folder"))
        if not path.is_dir() or _is_brat(path):
            yield path
            continue
        inside = [each for each in sorted(path.iterdir()) if each.name != TYPE_SYSTEM and (
            _is_brat(each) or is_corpus_file(each) or each.name.lower().endswith((".txt", ".txt.gz")))]
        if not inside:
            raise BionerError(Errors.E043.format(path=path, known=", ".join(FORMATS)))
        yield from inside


def tell_part(path: Path) -> str:
    """Tell which part of a corpus a file is, by its name.

    path (Path): The file, such as devel.conll.
    RETURNS (str): The part, such as "dev"; "raw" for plain text, and empty where the name does not say.
    """
    if _is_text(path):
        return "raw"
    found = _NAMED.search(path.name.split(".")[0])
    return _NAMES[found[1].lower()] if found else ""


def _is_brat(path: Path) -> bool:
    return path.is_dir() and any(each.suffix.lower() in (".ann", ".a1") for each in path.iterdir())


def _is_text(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith((".txt", ".txt.gz")) and not is_corpus_file(path) and not _is_pubtator(path)


def _is_pubtator(path: Path) -> bool:
    return path.name.lower().endswith(".txt") and find_annotated_form(path) == "pubtator"


def _read(path: Path, problems: Problems, *, by_line: bool) -> Iterator[Annotation]:
    """Yield the documents of a file; of text one a line, but a file of a folder is one, unless named raw.txt."""
    if not _is_text(path):
        format_ = "pubtator" if path.is_file() and _is_pubtator(path) else ""
        yield from read_annotations(path, format_, problems=problems, raw=tell_part(path) == "raw")
    elif by_line or path.name.endswith(".gz") or _NAMED.search(path.stem):
        for number, line in read_lines(path):
            yield Annotation(line, id=f"{path.name.split('.')[0]}-{number}")
    else:
        yield Annotation(read_text(path), id=path.stem)
