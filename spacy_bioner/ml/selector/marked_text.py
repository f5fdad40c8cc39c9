"""A candidate as a text: its label and definition, then the text with marks round the candidate."""

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from spacy.tokens import Doc

from ..encoder.word_pieces import find_around

# Definitions may take this part of a row, so that the text keeps the rest.
_FOR_HEAD = 0.5
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
    max_pieces (int): Most pieces of a row: long definitions lose their end; context is cut alike on both sides; of a
        candidate that is too long by itself the middle is left out.
    asks (bool): Whether a question ends the row.
    RETURNS (List[MarkedText]): The rows, document by document.
    """
    known: Dict[str, Tuple[int, ...]] = {}

    def encode(text: str) -> Tuple[int, ...]:
        if text not in known:
            known[text] = tuple(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])
        return known[text]

    before, after = find_around(tokenizer)
    tail = (*(encode(_QUESTION) if asks else ()), *after)
    rows = []
    for doc, candidates in zip(docs, spans):
        # The head ends with a full stop, so what follows it begins with a blank, as after any sentence.
        pieces = [encode((" " if not token.i or doc[token.i - 1].whitespace_ else "") + token.text) for token in doc]
        for start, end, label in candidates:
            name = labels[label]
            head = encode(f"{name}: {definitions[name]}." if definitions.get(name) else f"{name}.")
            room = max_pieces - len(before) - len(tail) - len(encode(_OPEN)) - len(encode(_CLOSE))
            head = (*before, *head[:max(1, int(_FOR_HEAD * room))])
            room -= len(head) - len(before)
            inside = _leave_out_middle(_join(pieces[start:end]), max(2, room))
            room -= len(inside)
            left, right = _join(pieces[:start]), _join(pieces[end:])
            left, right = _cut(left, right, max(0, room))
            open_at = len(head) + len(left)
            close_at = open_at + len(encode(_OPEN)) + len(inside)
            rows.append(MarkedText((*head, *left, *encode(_OPEN), *inside, *encode(_CLOSE), *right, *tail),
                                   open_at, close_at))
    return rows


def _join(pieces: Sequence[Tuple[int, ...]]) -> Tuple[int, ...]:
    return tuple(piece for token in pieces for piece in token)


def _leave_out_middle(pieces: Tuple[int, ...], most: int) -> Tuple[int, ...]:
    first = -(-most // 2)
    return pieces if len(pieces) <= most else (*pieces[:first], *pieces[len(pieces) - (most - first):])


def _cut(left: Tuple[int, ...], right: Tuple[int, ...], room: int) -> Tuple[Tuple[int, ...], Tuple[int, ...]]:
    """Keep the nearest context: half of the room on each side, and what one side leaves to the other."""
    for_left = min(len(left), max(room // 2, room - len(right)))
    for_right = min(len(right), room - for_left)
    return left[len(left) - for_left:], right[:for_right]
