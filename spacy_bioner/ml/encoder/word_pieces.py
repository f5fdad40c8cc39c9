"""Tokens to the pieces of a transformer's tokenizer, and long documents to windows.

Each token is cut into pieces by itself and remembered, so a text costs one dictionary look-up a token and no
alignment is needed: the pieces of a token are the pieces that were made from it. Where a tokenizer has pieces of
several Chinese characters, each of which is a token, a run of characters is cut as a whole: the model was trained on
such pieces.
"""

import re
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

from spacy.attrs import ORTH, SPACY
from spacy.tokens import Doc, Span
from tokenizers import Tokenizer

from ...tokens import UNSPACED

# A token of more pieces (a sequence, a link) is seen by its first ones; its span is whole all the same.
MAX_PIECES_A_TOKEN = 24
# Tokens whose pieces are remembered: about 15 MB of them.
_REMEMBERED = 50_000

class PackLimits(NamedTuple):
    """Limits of what is read at once.

    most (int): Most pieces of a pack, padding included.
    own_cost (int): Pieces that take as long as one more pack.
    """

    most: int
    own_cost: int


# On a CPU a pack costs calls and, in training, one more pass over the gradients; a GPU waits for calls.
PACKED_CPU, PACKED_GPU = PackLimits(1024, 32), PackLimits(16384, 4096)
# In use, each thread of a CPU reads a pack of its own. The packs do not depend on the number of threads: so do not the
# results, but for the last digit.
PACKED_THREAD = PackLimits(128, 16)
_RUN = re.compile(f"[{UNSPACED}-\U0010ffff]{{2,}}")


@dataclass(frozen=True)
class Window:
    """A part of a document that the transformer reads at once.

    doc (int): Index of the document in its batch.
    start (int): First token that is read.
    end (int): One past the last token that is read.
    own_start (int): First token whose vector is taken from this window.
    own_end (int): One past the last token whose vector is taken from it.
    """

    doc: int
    start: int
    end: int
    own_start: int
    own_end: int


class PieceMaker:
    """Cuts tokens into pieces.

    tokenizer (Tokenizer): A tokenizer of the `tokenizers` library; padding, truncation and special tokens in texts are
        switched off.
    unknown_id (int): Stands for a token that gives no piece.
    joins (bool): Whether runs of Chinese characters are cut as a whole, see `has_joined_pieces`.
    """

    def __init__(self, tokenizer: Tokenizer, *, unknown_id: int, joins: bool = False):
        tokenizer.no_padding()
        tokenizer.no_truncation()
        # A document may hold "[SEP]" or "<|im_end|>": that is text, not the mark of the model.
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self._unknown = (unknown_id,)
        self._joins = joins
        self._known: Dict[Tuple[int, bool], Tuple[int, ...]] = {}

    def pieces(self, doc: Doc) -> List[Tuple[int, ...]]:
        """Return for each token the ids of its pieces; none for a token inside a piece that began before it."""
        if not len(doc):
            return []
        # A new table in place of the old one, which another thread may be reading.
        known = self._known if len(self._known) <= _REMEMBERED else {}
        self._known = known
        orths, spaces = doc.to_array([ORTH, SPACY]).T.tolist()
        keys = list(zip(orths, [False, *map(bool, spaces[:-1])]))
        fresh = [key for key in dict.fromkeys(keys) if key not in known]
        if fresh:
            words = [(" " if spaced else "") + doc.vocab.strings[orth] for orth, spaced in fresh]
            for key, encoding in zip(fresh, self._tokenizer.encode_batch_fast(words, add_special_tokens=False)):
                known[key] = tuple(encoding.ids[:MAX_PIECES_A_TOKEN]) or self._unknown
        pieces = [known[key] for key in keys]
        if self._joins:
            self._join(doc, pieces)
        return pieces

    def _join(self, doc: Doc, pieces: List[Tuple[int, ...]]) -> None:
        """Put the pieces of whole runs in the places of those of their tokens."""
        text, runs = doc.text, _find_runs(doc)
        starts = [run.start_char - bool(run.start and doc[run.start - 1].whitespace_) for run in runs]
        texts = [text[start:run.end_char] for start, run in zip(starts, runs)]
        for run, first, encoding in zip(runs, starts, self._tokenizer.encode_batch(texts, add_special_tokens=False)):
            places = {offset - first: token.i for token in run
                      for offset in range(token.idx, token.idx + len(token))}
            places.setdefault(0, run.start)  # the space before it
            covered = {places[offset] for start, end in encoding.offsets for offset in range(start, end)}
            found: Dict[int, List[int]] = {place: [] if place in covered else [*self._unknown]
                                           for place in range(run.start, run.end)}
            for piece, (start, _) in zip(encoding.ids, encoding.offsets):
                found[places[start]].append(piece)
            pieces[run.start:run.end] = [tuple(ids[:MAX_PIECES_A_TOKEN]) for ids in found.values()]


def _find_runs(doc: Doc) -> List[Span]:
    """Return the runs of Chinese characters, of several tokens."""
    runs = (doc.char_span(*match.span(), alignment_mode="contract") for match in _RUN.finditer(doc.text))
    return [run for run in runs if run is not None and len(run) > 1]


def has_joined_pieces(pieces: Iterable[str]) -> bool:
    """Return whether a vocabulary has pieces of several Chinese characters.

    pieces (Iterable[str]): The vocabulary.
    """
    return any(_RUN.fullmatch(piece) for piece in pieces)


def find_around(tokenizer: Any) -> Tuple[Tuple[int, ...], Tuple[int, ...]]:
    """Find what a tokenizer puts around a text, wherever it has it from: its class or its post-processor.

    tokenizer (Any): A fast tokenizer of transformers.
    RETURNS (Tuple[Tuple[int, ...], Tuple[int, ...]]): The pieces before, and those after every text.
    """
    bare, whole = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (False, True))
    start = next(place for place in range(len(whole)) if whole[place:place + len(bare)] == bare)
    return tuple(whole[:start]), tuple(whole[start + len(bare):])


def pack_rows(lengths: Sequence[int], limits: PackLimits) -> List[List[int]]:
    """Divide rows into packs that are read at once, so that padding and packs together cost the least.

    lengths (Sequence[int]): Pieces of each row.
    limits (PackLimits): How large a pack may be, and what one more costs; a longer row is a pack of its own.
    RETURNS (List[List[int]]): Indices of the rows, the short ones first.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    # Of so many of the shortest rows: the least cost, and where their last pack begins.
    costs, begins = [0], [0]
    for end in range(1, len(order) + 1):
        longest = lengths[order[end - 1]]
        least = max(0, end - max(limits.most // max(longest, 1), 1))
        cost, begin = min((costs[begin] + (end - begin) * longest, begin) for begin in range(least, end))
        costs.append(cost + limits.own_cost)
        begins.append(begin)
    packs, end = [], len(order)
    while end:
        packs.append(order[begins[end]:end])
        end = begins[end]
    return packs[::-1]


def cut_windows(doc: int, lengths: Sequence[int], *, max_pieces: int, overlap: int) -> Iterator[Window]:
    """Cut a document into overlapping windows; of two that hold a token, the one where it stands deeper owns it.

    doc (int): Index of the document.
    lengths (Sequence[int]): Pieces of each token.
    max_pieces (int): Most pieces a window may have.
    overlap (int): Pieces, about, that neighbours share.
    YIELDS (Window): The windows; together they own every token once.
    """
    start = own_start = 0
    while start < len(lengths):
        end, filled = start, 0
        while end < len(lengths) and filled + lengths[end] <= max_pieces:
            filled += lengths[end]
            end += 1
        end = max(end, start + 1)
        if end == len(lengths):
            yield Window(doc, start, end, own_start, end)
            return
        following, shared = end, 0
        while following > start + 1 and shared + lengths[following - 1] <= overlap:
            following -= 1
            shared += lengths[following]
        # A window begins with a token that has pieces.
        while following > start + 1 and not lengths[following]:
            following -= 1
        middle = (following + end) // 2
        yield Window(doc, start, end, own_start, middle)
        start, own_start = following, middle
