"""Identifiers of concepts: several in one column, and the vocabulary that each belongs to."""

import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .problems import Problems

_PREFIXED = re.compile(r"[A-Za-z][\w .-]*:\s*\S.*")
# How identifiers look that can only be of one vocabulary.
_SHAPES = (
    (re.compile(r"[CD]\d{6}(\d{3})?"), "MESH"),
    (re.compile(r"rs\d+"), "dbSNP"),
    (re.compile(r"CVCL_\w+"), "Cellosaurus"),
    (re.compile(r"C\d{7}"), "UMLS"),
)
# Labels under which a number is an identifier of one vocabulary, as the corpora of PubTator and BioRED have it.
_NUMBERS = {"gene": "NCBIGene", "geneorgeneproduct": "NCBIGene", "species": "NCBITaxon", "organismtaxon": "NCBITaxon"}
# Vocabularies that files write in various cases.
_SPELT = frozenset(("mesh", "omim", "umls"))
_NONE = frozenset(("", "-", "-1", "none", "null", "nan"))
# Variants have bars of their own (c|SUB|A|12|T), and HGVS a plus.
_VARIANT = re.compile(r"(tmVar:\s*)?[cgmnpr]\|")
_BETWEEN_VARIANTS = re.compile(r"[,;]")
_SEPARATOR = re.compile(r"[|,;]|(?<=\d)\+(?=[A-Z])")


def read_identifiers(column: Any, label: str, *, place: str, problems: Problems,
                     vocabulary: str = "") -> Tuple[str, ...]:
    """Read what a file gives as identifier of a mention.

    column (Any): One or several identifiers, separated by |, comma, semicolon or plus; or a list of them.
    label (str): Label of the mention, which says of which vocabulary a number is.
    place (str): File and line, for problems.
    problems (Problems): Takes note of -1, which says that no concept fits, and of an unknown vocabulary.
    vocabulary (str): Vocabulary of identifiers that do not say it, where the file does.
    RETURNS (Tuple[str, ...]): The identifiers, each with its vocabulary where that is certain, and each once.
    """
    found: Dict[str, None] = {}
    for stated in column if isinstance(column, list) else _split("" if column is None else str(column)):
        identifier = str(stated).strip()
        if identifier.lower() in _NONE:
            if identifier:
                problems.add("no_concept", place, identifier)
            continue
        known = _with_vocabulary(identifier, label, vocabulary)
        if known is None:
            problems.add("unknown_vocabulary", place, identifier[:60])
        found[known or identifier] = None
    return tuple(found)


def join_identifiers(identifiers: Sequence[str]) -> Optional[str]:
    """Write identifiers into one column.

    identifiers (Sequence[str]): The identifiers.
    RETURNS (Optional[str]): The column; None where it would not be read as these.
    """
    column = (";" if any(map(_VARIANT.match, identifiers)) else "|").join(identifiers)
    stripped = all(one.strip() == one and not re.search(r"[\t\r\n]", one) for one in identifiers)
    return column if stripped and _split(column) == list(identifiers) else None


def _split(column: str) -> List[str]:
    """Return the identifiers of a column."""
    variants = _BETWEEN_VARIANTS.split(column)
    return variants if any(_VARIANT.match(one.strip()) for one in variants) else _SEPARATOR.split(column)


def _with_vocabulary(identifier: str, label: str, vocabulary: str) -> Optional[str]:
    """Return the identifier with its vocabulary, None where nothing says which one that is."""
    if _PREFIXED.fullmatch(identifier):
        name, _, rest = identifier.partition(":")
        return f"{name.upper()}:{rest}" if name.lower() in _SPELT else identifier
    if _VARIANT.match(identifier):
        return identifier
    if not vocabulary and identifier.isdecimal():
        vocabulary = _NUMBERS.get(label.lower(), "")
    if not vocabulary:
        vocabulary = next((name for shape, name in _SHAPES if shape.fullmatch(identifier)), "")
    return f"{vocabulary}:{identifier}" if vocabulary else None


def split_parts(column: str) -> List[str]:
    """Return the names of a composite mention, such as "breast cancer|ovarian cancer"."""
    return [part.strip() for part in column.split("|") if part.strip()]
