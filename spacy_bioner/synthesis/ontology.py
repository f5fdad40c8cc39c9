"""Names and synonyms of the terms under a root of an OBO ontology, read by the library pronto."""

from pathlib import Path
from typing import List, Optional

from ..errors import BionerError, Errors


def read_names(path: Path, *, root: Optional[str] = None) -> List[str]:
    """Read the names and exact synonyms of a term and all below it.

    path (Path): The OBO file.
    root (Optional[str]): Id of the term, such as "DOID:4"; None for all terms.
    RETURNS (List[str]): Names, obsolete terms left out, in the file's order.
    RAISES BionerError: E705 where pronto is missing, E406 where the root is not in the file.
    """
    try:
        import pronto
    except ImportError:
        raise BionerError(Errors.E705.format(package="pronto", extra="ontology")) from None

    ontology = pronto.Ontology(str(path), import_depth=0)
    if root is None:
        terms = list(ontology.terms())
    elif root in ontology:
        terms = list(ontology[root].subclasses(with_self=True))
    else:
        raise BionerError(Errors.E406.format(path=path, root=root))
    names: List[str] = []
    for term in terms:
        if term.obsolete or not term.name:
            continue
        names.append(term.name)
        names.extend(sorted(synonym.description for synonym in term.synonyms if synonym.scope == "EXACT"))
    return names
