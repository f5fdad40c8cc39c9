"""Suggesters for stock `spancat`: spans that could be mentions by how they begin and end.

`bioner_spancat` needs none. They are for pipelines that stay with spaCy's own component, whose n-gram suggester gives
several times as many spans.
"""

from functools import partial
from typing import Callable, Iterable, List, Optional

import numpy
from spacy.tokens import Doc, Token
from thinc.api import Ops, get_current_ops
from thinc.types import Ragged

_OPENERS, _CLOSERS = frozenset("([{'\"-+"), frozenset(")]}'\"%+-*")


def find_starts(doc: Doc) -> numpy.ndarray:
    """Return for each token whether a mention may begin with it."""
    return numpy.asarray([_is_word(token) or token.text in _OPENERS for token in doc], dtype=bool)


def find_ends(doc: Doc) -> numpy.ndarray:
    """Return for each token whether a mention may end with it."""
    return numpy.asarray([_is_word(token) or token.text in _CLOSERS for token in doc], dtype=bool)


def _is_word(token: Token) -> bool:
    # "A" may begin the name of a protein, "a" does not.
    return token.text[0].isalnum() and not (token.is_stop and token.is_lower)


def suggest_spans(docs: Iterable[Doc], *, max_size: int, ops: Optional[Ops] = None) -> Ragged:
    """Suggest the spans that begin and end with words, or with brackets and signs that belong to names.

    docs (Iterable[Doc]): The documents.
    max_size (int): Most tokens of a span.
    ops (Optional[Ops]): The array backend.
    RETURNS (Ragged): Start and end of each span, document by document.
    """
    ops = ops or get_current_ops()
    spans: List[numpy.ndarray] = []
    for doc in docs:
        starts, ends = numpy.flatnonzero(find_starts(doc)), numpy.flatnonzero(find_ends(doc)) + 1
        lengths = ends[None] - starts[:, None]
        first, last = numpy.nonzero((lengths > 0) & (lengths <= max_size))
        spans.append(numpy.stack([starts[first], ends[last]], axis=1).astype("int32"))
    lengths = ops.asarray1i([len(found) for found in spans])
    together = numpy.concatenate(spans) if spans else numpy.zeros((0, 2), dtype="int32")
    return Ragged(ops.asarray2i(together), lengths)


def make_word_span_suggester(max_size: int = 12) -> Callable[..., Ragged]:
    """Make the suggester `spacy-bioner.word_span_suggester.v1`; see `suggest_spans`."""
    return partial(suggest_spans, max_size=max_size)
