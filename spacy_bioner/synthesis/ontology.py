"""Names and synonyms of the terms of an ontology: OBO files, and MeSH as XML or ASCII; read term by term."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Set, Tuple

from ..errors import BionerError, Errors
from ..extras import extra
from ..files import read_lines
from ..loading import BROKEN_COMPRESSION, open_bounded

# A quoted string with escapes, the scope, and whatever follows: a type, declared or not, and references.
_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)"\s*([A-Z]+)?')
_TAG = re.compile(r"([A-Za-z0-9_-]+):\s*(.*)")
# Records of MeSH, and how the names of what says their id and name begin.
_MESH_RECORDS = {"DescriptorRecord": "Descriptor", "SupplementalRecord": "SupplementalRecord"}
_ESCAPES = {"n": " ", "W": " ", "t": " "}


@dataclass
class Term:
    """A term of an ontology.

    id (str): Its id.
    name (str): Its name.
    synonyms (List[str]): Its exact synonyms.
    parents (List[str]): Ids of the terms above it.
    obsolete (bool): Whether it is no longer used.
    related (List[str]): In MeSH the terms of the narrower concepts of a descriptor.
    """

    id: str = ""
    name: str = ""
    synonyms: List[str] = field(default_factory=list)
    parents: List[str] = field(default_factory=list)
    obsolete: bool = False
    related: List[str] = field(default_factory=list)


def read_names(path: Path, *, root: Optional[str] = None) -> List[str]:
    """Read the names and exact synonyms of a term and all below it.

    path (Path): An OBO file, or the XML of the MeSH descriptors; gzip-compressed or not.
    root (Optional[str]): Id of the term, such as "DOID:4", or of MeSH "D003920" or the tree number "C18.452"; None for
        all terms.
    RETURNS (List[str]): Names, obsolete terms left out, in the file's order.
    RAISES BionerError: E011 for what is no ontology, E406 where the root is not in the file.
    """
    is_mesh = is_mesh_file(path)
    terms = read_terms(path)
    wanted_ids = {term.id for term in terms}
    if root is not None:
        # A descriptor of MeSH stands at its tree numbers, and what is below these is below it.
        places = [number for term in terms if is_mesh and term.name and term.id == root for number in term.parents]
        wanted_ids = _find_below(terms, [root, *places], path)
    names: List[str] = []
    for term in terms:
        if term.id in wanted_ids and term.name and not term.obsolete:
            names += [term.name, *sorted(term.synonyms)]
    return names


def is_mesh_file(path: Path) -> bool:
    """Return whether the name of a file says that it is MeSH, and not OBO."""
    return Path(path).name.lower().removesuffix(".gz").endswith((".xml", ".bin"))


def read_terms(path: Path) -> List[Term]:
    """Read the terms of an ontology.

    path (Path): An OBO file, or descriptors or supplementary records of MeSH as XML (.xml) or ASCII (.bin);
        gzip-compressed or not.
    RETURNS (List[Term]): All terms, obsolete ones too; of MeSH also its tree numbers, without names.
    RAISES BionerError: E011 for what is no ontology.
    """
    is_mesh = is_mesh_file(path)
    is_ascii = Path(path).name.lower().removesuffix(".gz").endswith(".bin")
    terms = list(_read_ascii_mesh(path) if is_ascii else _read_mesh(path) if is_mesh else _read_obo(path))
    if not terms:
        wanted = "MeSH descriptors" if is_mesh else "an OBO ontology"
        raise BionerError(Errors.E011.format(path=path, wanted=wanted, why="no ontology in it"))
    return terms


def _find_below(terms: Iterable[Term], roots: List[str], path: Path) -> Set[str]:
    """Return the ids of terms and of all below them; raises BionerError E406 where the first is not there.
    """
    children: Dict[str, List[str]] = {}
    known = set()
    for term in terms:
        known.add(term.id)
        for parent in term.parents:
            children.setdefault(parent, []).append(term.id)
    if roots[0] not in known and roots[0] not in children:
        raise BionerError(Errors.E406.format(path=path, root=roots[0]))
    found: Set[str] = set()
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += children.get(one, ())
    return found


def _read_obo(path: Path) -> Iterator[Term]:
    """Yield the terms of an OBO file; relations, types and imports are passed over, declared or not."""
    term: Optional[Term] = None
    for number, line in _join_lines(read_lines(path)):
        if line.startswith("!"):
            continue
        tag = _TAG.fullmatch(line)
        if line.startswith("[") and line.endswith("]"):
            if term is not None:
                yield term
            term = Term() if line == "[Term]" else None
        elif tag is None:
            why = f"line {number} is neither a tag nor a comment: {line[:60]}"
            raise BionerError(Errors.E011.format(path=path, wanted="an OBO ontology", why=why))
        elif term is not None and not _add_tag(term, tag[1], tag[2]):
            why = f"line {number} has no synonym in quotes: {tag[2][:60]}"
            raise BionerError(Errors.E011.format(path=path, wanted="an OBO ontology", why=why))
    if term is not None:
        yield term


def _join_lines(lines: Iterable[Tuple[int, str]]) -> Iterator[Tuple[int, str]]:
    """Yield lines with those that a backslash at their ends continues, and the number of the first."""
    first, joined = 0, ""
    for number, line in lines:
        first, joined = (first if joined else number), joined + line.strip()
        if joined.endswith("\\"):
            joined = joined[:-1]
        else:
            yield first, joined
            joined = ""
    if joined:
        yield first, joined


def _add_tag(term: Term, tag: str, value: str) -> bool:
    """Add what a line says to a term; returns False for a synonym that cannot be read."""
    if tag == "id":
        term.id = _cut_comment(value)
    elif tag == "name":
        term.name = _unescape(_cut_comment(value))
    elif tag == "is_a":
        term.parents.append(_cut_comment(value).split(" ")[0])
    elif tag == "is_obsolete":
        term.obsolete = _cut_comment(value) == "true"
    elif tag in ("synonym", "exact_synonym"):
        found = _SYNONYM.match(value)
        if found is None:
            return False
        if tag == "exact_synonym" or found[2] == "EXACT":
            term.synonyms.append(_unescape(found[1]))
    return True


def _cut_comment(value: str) -> str:
    """Return a value without the comment behind " !" and the modifiers in braces at its end."""
    value = re.split(r"(?<!\\)\s!", f" {value}", maxsplit=1)[0]
    return re.sub(r"\s*(?<!\\)\{[^{}]*=[^{}]*\}\s*$", "", value).strip()


def _unescape(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), value)


def _read_mesh(path: Path) -> Iterator[Term]:
    """Yield the records of MeSH, descriptors below the tree numbers above them, and the tree numbers as terms."""
    with extra("ontology"):
        from lxml import etree

    try:
        with open_bounded(path) as file_:
            for _, record in etree.iterparse(file_, tag=tuple(_MESH_RECORDS), huge_tree=True, resolve_entities=False,
                                             load_dtd=False):
                kind = _MESH_RECORDS[record.tag]
                name = record.findtext(f"{kind}Name/String") or ""
                numbers = [number.text or "" for number in record.iterfind("TreeNumberList/TreeNumber")]
                # Terms of other concepts of a descriptor are narrower or related, not the same.
                terms: Dict[bool, List[str]] = {True: [], False: []}
                for concept in record.iterfind("ConceptList/Concept"):
                    terms[concept.get("PreferredConceptYN") == "Y"] += [
                        term.text or "" for term in concept.iterfind("TermList/Term/String")]
                id = record.findtext(f"{kind}UI") or ""
                yield Term(id, name, [term for term in dict.fromkeys(terms[True]) if term != name], numbers,
                           related=terms[False])
                for number in numbers:
                    yield Term(number, "", [], [number.rpartition(".")[0]] if "." in number else [])
                record.clear()
                while record.getprevious() is not None:
                    del record.getparent()[0]
    except (etree.XMLSyntaxError, *BROKEN_COMPRESSION) as error:
        raise BionerError(Errors.E011.format(path=path, wanted="MeSH descriptors", why=error)) from None


def _read_ascii_mesh(path: Path) -> Iterator[Term]:
    """Yield the records of an ASCII file of MeSH; their entry terms are not told from those of narrower concepts."""
    term: Optional[Term] = None
    for number, line in read_lines(path):
        if line.strip() == "*NEWRECORD":
            if term is not None:
                yield term
            term = Term()
            continue
        tag, equals, value = line.partition(" = ")
        if term is None or not equals:
            why = f"line {number} is neither *NEWRECORD nor KEY = VALUE: {line[:60]}"
            raise BionerError(Errors.E011.format(path=path, wanted="MeSH records", why=why))
        if tag in ("MH", "NM"):
            term.name = value.strip()
        elif tag == "UI":
            term.id = value.strip()
        elif tag in ("ENTRY", "PRINT ENTRY", "SY"):
            term.related.append(value.partition("|")[0].strip())
    if term is not None:
        yield term
