"""Names of concepts from files: ontologies, tables, and annotated texts with identifiers."""

from collections import Counter
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Tuple

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..formats import read_annotations
from ..formats.parsing.identifiers import read_identifiers
from ..formats.parsing.problems import Problems
from ..synthesis.ontology import is_mesh_file, read_terms
from ..synthesis.seed_tables import is_name, read_rows
from .concept_dictionary import ConceptName

_ONTOLOGIES, _TABLES = (".obo", ".xml", ".bin"), {".csv": ",", ".tsv": "\t"}
_NAMES, _IDS, _SYNONYMS = ("name", "term", "text"), ("id", "ids", "identifier"), ("synonyms", "synonym")


def read_concept_names(path: Path, *, label: str = "", problems: Problems) -> List[ConceptName]:
    """Read the names of concepts that a file holds.

    path (Path): An ontology (.obo, or MeSH as .xml or .bin), a table (.csv, .tsv) with the columns name and id, and
        perhaps synonyms and label, or annotated texts of any format whose mentions have identifiers.
    label (str): Label of the mentions that names of an ontology or a table stand for; empty for any.
    problems (Problems): Takes note of identifiers of which nothing says the vocabulary, and of rows without a name or
        an identifier.
    RETURNS (List[ConceptName]): The names.
    RAISES BionerError: E801 where there is none, E403 for missing columns, E009 for annotated texts of dev or test,
        and those of the readers.
    """
    kind = Path(path.name.removesuffix(".gz")).suffix.lower()
    if not path.exists():
        raise BionerError(Errors.E001.format(path=path, wanted="dictionary or file of records"))
    if kind in _ONTOLOGIES:
        found = _read_ontology(path, label, problems)
    elif kind in _TABLES:
        found = _read_table(path, _TABLES[kind], label, problems)
    else:
        found = names_of_gold(_train_only(path, problems))
    if not found:
        raise BionerError(Errors.E801.format(path=path))
    return found


def names_of_gold(annotations: Iterator[Annotation]) -> List[ConceptName]:
    """Count the names under which annotated texts mention concepts.

    annotations (Iterator[Annotation]): Texts whose mentions have identifiers; those without do not count.
    RETURNS (List[ConceptName]): Each name with its identifiers, label and count.
    """
    counts: Counter = Counter()
    for annotation in annotations:
        counts.update((annotation.surface(mention), mention.ids, mention.label) for mention in annotation.mentions
                      if mention.ids)
    return [ConceptName(name, ids, label, count) for (name, ids, label), count in counts.items()]


def _train_only(path: Path, problems: Problems) -> Iterator[Annotation]:
    for annotation in read_annotations(path, problems=problems):
        split = annotation.meta.get("split", "train")
        if split != "train":
            raise BionerError(Errors.E009.format(id=annotation.id, found=split, wanted="train"))
        yield annotation


def _read_ontology(path: Path, label: str, problems: Problems) -> List[ConceptName]:
    vocabulary = "MESH" if is_mesh_file(path) else ""
    found = []
    for term in read_terms(path):
        if term.name and not term.obsolete:
            ids = read_identifiers(term.id, label, place=str(path), problems=problems, vocabulary=vocabulary)
            names = dict.fromkeys((term.name, *term.synonyms, *term.related))
            found += [ConceptName(name, ids, label) for name in names if ids and is_name(name)]
    return found


def _read_table(path: Path, delimiter: str, label: str, problems: Problems) -> List[ConceptName]:
    rows = read_rows(path, delimiter)
    header = [name.strip().lower() for name in rows[0][1]] if rows else []
    columns: Dict[str, str] = {}
    for wanted, known in (("name", _NAMES), ("id", _IDS)):
        column = next((name for name in known if name in header), None)
        if column is None and rows:
            raise BionerError(Errors.E403.format(path=path, wanted=f"a column {' or '.join(known)} in its first line"))
        columns[wanted] = column or ""
    found = []
    for number, fields in rows[1:]:
        row = dict(zip(header, fields))
        if not row.get(columns["id"], "").strip() or not row.get(columns["name"], "").strip():
            problems.add("bad_line", f"{path}, line {number}", "no name or no identifier")
            continue
        own = row.get("label", "").strip() or label
        ids = read_identifiers(row.get(columns["id"], ""), own, place=f"{path}, line {number}", problems=problems)
        found += [ConceptName(name, ids, own) for name in _names_of(row, columns["name"]) if ids and is_name(name)]
    return found


def _names_of(row: Mapping[str, str], column: str) -> Tuple[str, ...]:
    return (row.get(column, ""), *(name.strip() for key in _SYNONYMS for name in row.get(key, "").split("|")))
