"""The bytes of a `.spacy` file as a DocBin, each part of it checked before spaCy makes Docs of it."""

from pathlib import Path
from typing import Any, Dict, List

import numpy
from spacy.attrs import IDS, ORTH
from spacy.tokens import DocBin

from ...errors import BionerError, Errors, describe
from ...loading import BROKEN_CONTENT, inflate, parse_msgpack, read_bounded


def load_docbin(path: Path) -> DocBin:
    """Read a DocBin.

    path (Path): The `.spacy` file.
    RETURNS (DocBin): What it holds; whether its Docs can be made shows when they are.
    RAISES BionerError: E001 where there is no such file, E011 where it is no DocBin, E038 and E039 beyond the bounds.
    """
    content = read_bounded(path)
    try:
        return _build(parse_msgpack(inflate(content, path=path)))
    except BionerError:
        raise
    except BROKEN_CONTENT as error:
        raise BionerError(Errors.E011.format(path=path, wanted="a .spacy file", why=describe(error))) from None


def _build(message: Any) -> DocBin:
    """Return the doc bin as `DocBin.from_bytes` makes it; raises ValueError for parts that do not fit each other."""
    _demand(isinstance(message, dict), "it holds no DocBin")
    attrs = message.get("attrs")
    _demand(_is_list(attrs, int) and ORTH in attrs and len(set(attrs)) == len(attrs)
            and set(attrs) <= set(IDS.values()), "its attributes are none of spaCy's")
    _demand(_is_list(message.get("strings"), str), "its strings are no strings")
    parts = {name: message.get(name) for name in ("lengths", "tokens", "spaces")}
    _demand(all(isinstance(part, bytes) for part in parts.values()), "its tokens are no bytes")
    lengths = numpy.frombuffer(parts["lengths"], dtype="int32")
    # A DocBin without Docs or tokens holds empty arrays of another type.
    total = int(lengths.sum()) if lengths.size else 0
    _demand(bool((lengths >= 0).all()), "a Doc has fewer than no tokens")
    _demand(len(parts["tokens"]) == 8 * total * len(attrs) and len(parts["spaces"]) == total,
            "its tokens are not as many as its Docs say")
    count = len(lengths)
    docbin = DocBin(attrs=(), store_user_data=True)
    docbin.attrs, docbin.strings = attrs, set(message["strings"])
    tokens = numpy.frombuffer(parts["tokens"], dtype="uint64").reshape((total, len(attrs)))
    spaces = numpy.frombuffer(parts["spaces"], dtype="uint8").astype(bool).reshape((total, 1))
    borders = numpy.cumsum(lengths)[:-1]
    docbin.tokens = numpy.split(tokens, borders) if count else []
    docbin.spaces = numpy.split(spaces, borders) if count else []
    docbin.cats = _take(message, "cats", count, dict, {})
    docbin.flags = _take(message, "flags", count, dict, {})
    docbin.span_groups = _take(message, "span_groups", count, bytes, b"")
    docbin.user_data = _take(message, "user_data", count, (bytes, type(None)), None)
    return docbin


def _take(message: Dict[str, Any], key: str, count: int, kind: Any, otherwise: Any) -> List[Any]:
    """Return one value a Doc; raises ValueError for another number or type."""
    values = message.get(key, [otherwise] * count)
    _demand(_is_list(values, kind) and len(values) == count, f"its {key} are not one a Doc")
    return values


def _is_list(values: Any, kind: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _demand(holds: bool, why: str) -> None:
    if not holds:
        raise ValueError(why)
