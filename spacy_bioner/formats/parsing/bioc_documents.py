"""The documents of a BioC file as dictionaries in the form that they have in JSON, one by one and checked."""

from html.entities import html5
from itertools import chain
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from ...errors import BionerError, Errors
from ...extras import extra
from ...files import read_lines
from ...loading import BROKEN_COMPRESSION, open_bounded, parse_json, read_json
from .lines import refuse_surrogates

CHILDREN = ("passages", "sentences", "annotations", "relations", "locations")
_TEXTS = ("id", "text", "offset", "infon")
# Passages hold sentences, and these annotations; text may be marked up a few levels deep.
_DEEPEST = 20
_LONGEST_ENTITY = 1000

Placed = Tuple[str, Dict[str, Any]]


def read_xml_documents(path: Path) -> Iterator[Placed]:
    """Read the documents of BioC XML; what was read is freed.

    path (Path): The file, gzip-compressed or not.
    YIELDS (Tuple[str, Dict[str, Any]]): Place and content of each document.
    RAISES BionerError: E011 for what is no BioC XML, and for an entity that nothing defines.
    """
    with extra("train"):
        from lxml import etree

    parsed: Any = None
    try:
        with open_bounded(path) as file_:
            # Entities stay as they are written, so that none can fill the memory; those that are known are put in.
            parsed = etree.iterparse(file_, tag="document", huge_tree=True, resolve_entities=False, load_dtd=False)
            for _, element in parsed:
                tree = element.getroottree()
                yield f"{path}, line {element.sourceline}", _element_to_dict(element, _declared(tree), str(path))
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
            if parsed.root is None or parsed.root.tag not in ("collection", "document"):
                why = f"its outermost element is '{getattr(parsed.root, 'tag', '')}', not collection"
                raise BionerError(Errors.E011.format(path=path, wanted="BioC XML", why=why))
    except (etree.XMLSyntaxError, *BROKEN_COMPRESSION) as error:
        # The exception tells the last fault, which may come of the first.
        first = next(iter(parsed.error_log), None) if parsed is not None else None
        why = f"{first.message.strip()}, line {first.line}" if first else str(error)
        raise BionerError(Errors.E011.format(path=path, wanted="BioC XML", why=why)) from None


def _declared(tree: Any) -> Mapping[str, str]:
    """Return entities that the document type of a file declares, with their replacement."""
    dtd = tree.docinfo.internalDTD
    return {entity.name: entity.content for entity in dtd.iterentities() if entity.content} if dtd is not None else {}


def _element_to_dict(element: Any, declared: Mapping[str, str], path: str, depth: int = 0) -> Dict[str, Any]:
    """Return a document, passage, sentence or annotation."""
    if depth > _DEEPEST:
        why = f"its elements nest deeper than {_DEEPEST} levels at line {element.sourceline}"
        raise BionerError(Errors.E011.format(path=path, wanted="BioC XML", why=why))
    texts = {name: _find_text(element, name, declared, path) for name in ("id", "text", "offset")}
    found: Dict[str, Any] = {
        **texts,
        "id": texts["id"] if element.tag == "document" else element.get("id"),
        "infons": {_read_key(infon, path): _read_text(infon, declared, path) for infon in element.findall("infon")},
        "locations": [dict(location.attrib) for location in element.findall("location")],
        "line": element.sourceline,
    }
    for children in ("passage", "sentence", "annotation", "relation"):
        found[f"{children}s"] = [_element_to_dict(child, declared, path, depth + 1)
                                 for child in element.findall(children)]
    # What holds elements and has none of these names is not read, and may be meant to be one of them.
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _TEXTS and f"{child.tag}s" not in CHILDREN and len(child):
            # Its own key, since an element may be called as a list is.
            found.setdefault(f"<{child.tag}>", []).append({})
    return found


def _read_key(infon: Any, path: str) -> str:
    """Return the key of an infon; BionerError E011 for one without."""
    key = infon.get("key")
    if key is None:
        why = f"an infon without a key at line {infon.sourceline}"
        raise BionerError(Errors.E011.format(path=path, wanted="BioC XML", why=why))
    return str(key)


def _find_text(element: Any, name: str, declared: Mapping[str, str], path: str) -> Any:
    child = element.find(name)
    return None if child is None else _read_text(child, declared, path)


def _read_text(element: Any, declared: Mapping[str, str], path: str, depth: int = 0) -> str:
    """Return all text of an element, with that of elements inside it, such as <i>; raises BionerError E011."""
    with extra("train"):
        from lxml import etree

    if depth > _DEEPEST:
        why = f"its elements nest deeper than {_DEEPEST} levels at line {element.sourceline}"
        raise BionerError(Errors.E011.format(path=path, wanted="BioC XML", why=why))
    pieces = [element.text or ""]
    for child in element:
        if child.tag is etree.Entity:
            pieces.append(_replace_entity(child.name, declared, f"{path}, line {element.sourceline}"))
        elif isinstance(child.tag, str):
            pieces.append(_read_text(child, declared, path, depth + 1))
        pieces.append(child.tail or "")
    return "".join(pieces)


def _replace_entity(name: str, declared: Mapping[str, str], place: str) -> str:
    """Return the characters of an entity, as the file or HTML defines it; BionerError E011 for neither."""
    content = declared.get(name)
    if content is None:
        content = html5.get(f"{name};")
    elif "&" in content or "<" in content or len(content) > _LONGEST_ENTITY:
        why = f"the entity '{name}' stands for more than plain text"
        raise BionerError(Errors.E011.format(path=place, wanted="BioC XML", why=why))
    if content is None:
        raise BionerError(Errors.E011.format(path=place, wanted="BioC XML", why=f"nothing defines its entity '{name}'"))
    return content


def read_json_documents(path: Path) -> Iterator[Placed]:
    """Read the documents of a collection, of a list of collections or documents, or of a file with one a line.

    path (Path): The file, gzip-compressed or not. With a document a line, it is read line by line.
    YIELDS (Tuple[str, Dict[str, Any]]): Place and content of each document.
    RAISES BionerError: E011 for what is no BioC JSON, E003 with the line where each line is a document.
    """
    lines = read_lines(path)
    first = next(lines, None)
    try:
        parse_json(first[1] if first else "")
    except ValueError:
        yield from _find_documents(read_json(path, wanted="BioC JSON"), path)
        return
    for number, line in chain([first] if first else [], lines):
        try:
            value = parse_json(line, unique=True)
        except ValueError as error:
            raise BionerError(Errors.E003.format(path=path, line=number, why=f"not BioC JSON ({error})")) from None
        yield from _find_documents(value, path)


def _find_documents(content: Any, path: Path) -> Iterator[Placed]:
    waiting: List[Any] = [content]
    while waiting:
        content = waiting.pop()
        if isinstance(content, list):
            waiting += reversed(content)
        elif isinstance(content, dict) and isinstance(content.get("passages"), list):
            place = f"{path}, document {content.get('id')}"
            _check_shape(content, place)
            yield place, content
        elif isinstance(content, dict) and isinstance(content.get("documents", content.get("PubTator3")), list):
            waiting += reversed(content.get("documents") or content.get("PubTator3") or [])
        else:
            raise BionerError(Errors.E011.format(path=path, wanted="BioC JSON", why="found other JSON"))


def _check_shape(holder: Any, place: str) -> None:
    """Check a document and what it holds, as far as it is read.

    holder (Any): A document, passage, sentence, annotation or relation.
    place (str): File and document, for errors.
    RAISES BionerError: E011 for other types than BioC has, E028 for a text that is no text.
    """
    shape_is_right = isinstance(holder, dict) and isinstance(holder.get("text"), (str, type(None))) \
        and isinstance(holder.get("infons") or {}, dict) \
        and all(isinstance(holder.get(children) or [], list) for children in CHILDREN) \
        and all(isinstance(one, dict) for children in ("locations", "relations") for one in holder.get(children) or ())
    if not shape_is_right:
        raise BionerError(Errors.E011.format(path=place, wanted="BioC JSON", why="a value of another type"))
    refuse_surrogates(holder.get("text") or "", place)
    for children in ("passages", "sentences", "annotations"):
        for child in holder.get(children) or ():
            _check_shape(child, place)
