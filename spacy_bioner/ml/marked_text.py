"""A candidate as a text: its label and definition, then the text with marks round the candidate."""

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from spacy.tokens import Doc

# Document text is cut at its units, so it never holds these as one piece.
_OPEN, _CLOSE = " <<", " >>"
_QUESTION = " Is it right? Answer:"


@dataclass(frozen=True)
class MarkedText:
    """The pieces of a row.

    ids (Tuple[int, ...]): The pieces.
    open_at (int): Place of the first piece of the opening mark.
    close_at (int): Place of the first piece of the closing mark.
    """

    ids: Tuple[int, ...]
    open_at: int
    close_at: int


def make_rows(docs: Sequence[Doc], spans: Sequence[Sequence[Tuple[int, int, int]]], *, tokenizer: Any,
              labels: Sequence[str], definitions: Mapping[str, str], max_pieces: int, asks: bool) -> List[MarkedText]:
    """Write the candidates of documents.

    docs (Sequence[Doc]): The documents.
    spans (Sequence[Sequence[Tuple[int, int, int]]]): For each its candidates: start, end, number of the label.
    tokenizer (Any): A fast tokenizer of transformers.
    labels (Sequence[str]): The labels by number.
    definitions (Mapping[str, str]): Label to definition.
    max_pieces (int): Most pieces of a row; context is cut alike on both sides, the candidate never.
    asks (bool): Whether a question ends the row.
    RETURNS (List[MarkedText]): The rows, document by document.
    """
    known: Dict[str, Tuple[int, ...]] = {}

    def encode(text: str) -> Tuple[int, ...]:
        if text not in known:
            known[text] = tuple(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])
        return known[text]

    before, after = _find_around(tokenizer)
    tail = (*(encode(_QUESTION) if asks else ()), *after)
    rows = []
    for doc, candidates in zip(docs, spans):
        pieces = [encode((" " if token.i and doc[token.i - 1].whitespace_ else "") + token.text) for token in doc]
        for start, end, label in candidates:
            name = labels[label]
            head = (*before, *encode(f"{name}: {definitions[name]}." if definitions.get(name) else f"{name}."))
            inside = _join(pieces[start:end])
            room = max_pieces - len(head) - len(tail) - len(inside) - len(encode(_OPEN)) - len(encode(_CLOSE))
            left, right = _join(pieces[:start]), _join(pieces[end:])
            left, right = _cut(left, right, max(0, room))
            open_at = len(head) + len(left)
            close_at = open_at + len(encode(_OPEN)) + len(inside)
            rows.append(MarkedText((*head, *left, *encode(_OPEN), *inside, *encode(_CLOSE), *right, *tail),
                                   open_at, close_at))
    return rows


def _find_around(tokenizer: Any) -> Tuple[Tuple[int, ...], Tuple[int, ...]]:
    """RETURNS (Tuple[Tuple[int, ...], Tuple[int, ...]]): The pieces that the tokenizer puts before and after a text."""
    bare, whole = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (False, True))
    start = next(place for place in range(len(whole)) if whole[place:place + len(bare)] == bare)
    return tuple(whole[:start]), tuple(whole[start + len(bare):])


def _join(pieces: Sequence[Tuple[int, ...]]) -> Tuple[int, ...]:
    return tuple(piece for token in pieces for piece in token)


def _cut(left: Tuple[int, ...], right: Tuple[int, ...], room: int) -> Tuple[Tuple[int, ...], Tuple[int, ...]]:
    """Keep the nearest context: half of the room on each side, and what one side leaves to the other."""
    for_left = min(len(left), max(room // 2, room - len(right)))
    for_right = min(len(right), room - for_left)
    return left[len(left) - for_left:], right[:for_right]
