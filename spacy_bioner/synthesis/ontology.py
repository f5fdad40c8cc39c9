"""Names and synonyms of the terms under a root of an OBO ontology, read by the library pronto."""

import warnings
from pathlib import Path
from typing import List, Optional

from ..errors import BionerError, Errors
from ..extras import extra


def read_names(path: Path, *, root: Optional[str] = None) -> List[str]:
    """Read the names and exact synonyms of a term and all below it.

    path (Path): The OBO file.
    root (Optional[str]): Id of the term, such as "DOID:4"; None for all terms.
    RETURNS (List[str]): Names, obsolete terms left out, in the file's order.
    RAISES BionerError: E706 where pronto is missing, E011 for what is no ontology, E406 where the root is not in the
        file.
    """
    with extra("ontology"):
        import pronto

    try:
        # It warns of encodings that it is not sure of; what cannot be read is an error below.
        with warnings.catch_warnings(action="ignore"):
            ontology = pronto.Ontology(str(path), import_depth=0)
    except KeyError as error:
        why = f"it has a relation to the term {error}, which it does not define"
        raise BionerError(Errors.E011.format(path=path, wanted="an OBO ontology", why=why)) from None
    except (ValueError, SyntaxError) as error:
        why = "no ontology in it" if isinstance(error, ValueError) else error
        raise BionerError(Errors.E011.format(path=path, wanted="an OBO ontology", why=why)) from None
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
