"""Scores of spans from the log-probabilities of a server, by the rule of local grounded decoding.

A span's score is the product of the probabilities of the decisions that wrote it: that it begins there, its label, and
that it ends there. The answer is read along the grammar of local grounded decoding, byte by byte, since each server
has tokens of its own; where the grammar allows several bytes there is a decision.

Servers give the probabilities before a grammar is applied, of the most probable tokens only. So the probability of a
decision is a share of the listed tokens that the grammar allows there: those that decide as the answer does, among all
that agree with the answer up to the decision. Two kinds count against the answer, so that a score is rather too low
than too high: tokens that end before the decision, and, where a legal byte has no listed token, one token more, as
probable as the last one of the list.

The local decoder compares all legal tokens. The two differ by what is not listed, and by tokens that reach across the
places where the local decoder cuts an answer, as `"},` in JSON.
"""

import math
from bisect import bisect_right
from itertools import accumulate
from types import SimpleNamespace
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

from ...annotation import Mention, in_text_order
from ...codecs.base import Codec
from ...codecs.json.json_codec import JsonCodec
from ..decoding.grammars.grammar import Factors, Grammar, GrammarContext
from ..decoding.grammars.registry import find_grammar
from ..decoding.grammars.source_tokens import SourceTokens
from ..decoding.partial_readings import PartialReading, expand_state, legal_tokens, list_found, read_token
from .token_logprobs import TokenLogprobs

# Source text, answer and its tokens to the mentions of the answer with their scores.
SpanScorer = Callable[[str, str, Sequence[TokenLogprobs]], Tuple[Mention, ...]]

# No byte: stands for the token that ends an answer.
_END = 256
_WHITE_SPACE = b" \t\r\n"
# Weights of tokens are relative to the one that was written; larger ones would be too large for a number.
_MOST = 700.0


class BytePieces:
    """Stands for the tokens of pieces where the tokenizer is not known: each byte is a token."""

    tokenizer = SimpleNamespace(eos_token_id=_END)

    def of(self, piece: str) -> Tuple[int, ...]:
        return tuple(piece.encode("utf8", "surrogatepass"))

    def of_each(self, pieces: Sequence[str]) -> List[Tuple[int, ...]]:
        return [self.of(piece) for piece in pieces]


class Decision(NamedTuple):
    """A byte of an answer where others were legal too.

    at (int): Which byte.
    legal (Sequence[int]): The legal bytes.
    readings (List[PartialReading]): The readings before it.
    """

    at: int
    legal: Sequence[int]
    readings: List[PartialReading]


class ReadAnswer:
    """An answer, read along a grammar as far as it is legal.

    grammar (Grammar): The grammar, its tokens bytes.
    answer (bytes): The answer.
    skipped (bytes): Bytes that may stand anywhere without a meaning.
    """

    def __init__(self, grammar: Grammar, answer: bytes, *, skipped: bytes = b"") -> None:
        self.answer = answer
        self.decisions: List[Decision] = []
        self._grammar = grammar
        self._skipped = skipped
        readings, end = expand_state(grammar, grammar.start())
        self.is_whole = True
        for at, byte in enumerate(answer):
            legal = legal_tokens(readings)
            if byte not in legal:
                if byte in skipped:
                    continue
                self.is_whole = end is not None
                break
            factor = None
            if len(legal) > 1:
                factor = len(self.decisions)
                self.decisions.append(Decision(at, legal, readings))
            readings, end = read_token(grammar, readings, byte, factor)
        self.found = list_found(end.state if end is not None else readings[0].state)

    def log_probability(self, decision: Decision, token: TokenLogprobs, start: int) -> Optional[float]:
        """Return the log-probability of a decision among the legal ones.

        decision (Decision): The decision.
        token (TokenLogprobs): The token of the answer in which it was taken.
        start (int): Where this token begins in the answer.
        RETURNS (Optional[float]): Up to 0; None where the server lists no other token.
        """
        if len(token.listed) < 2:
            return None
        written = token.data[:decision.at - start]
        weights = dict.fromkeys(decision.legal, 0.0)
        undecided, least = 0.0, math.inf
        for data, logprob in token.listed:
            weight = math.exp(min(logprob - token.logprob, _MOST))
            least = min(least, weight)
            rest = self._strip(data[len(written):], decision.legal) if data.startswith(written) else b""
            if rest and (data == token.data or self._is_legal(decision.readings, rest)):
                weights[rest[0]] += weight
            elif not rest and written.startswith(data):
                undecided += weight
        unlisted = 0.0 if all(weights.values()) else least
        return math.log(weights[self.answer[decision.at]] / (sum(weights.values()) + undecided + unlisted))

    def _strip(self, data: bytes, legal: Sequence[int]) -> bytes:
        """Return the bytes from the first one on that has a meaning."""
        start = next((place for place, byte in enumerate(data) if byte in legal or byte not in self._skipped),
                     len(data))
        return data[start:]

    def _is_legal(self, readings: List[PartialReading], data: bytes) -> bool:
        """Return whether an answer may go on so; what stands behind its end is no part of it."""
        end = None
        for byte in data:
            if end is not None:
                return True
            if byte in legal_tokens(readings):
                readings, end = read_token(self._grammar, readings, byte, None)
            elif byte not in self._skipped:
                return False
        return True


def make_span_scorer(codec: Codec, labels: Sequence[str], *, max_depth: int) -> Optional[SpanScorer]:
    """Make a function that scores the mentions of answers.

    codec (Codec): The codec that reads the answers.
    labels (Sequence[str]): The labels, in the order of the prompt.
    max_depth (int): How deep mentions may nest.
    RETURNS (Optional[SpanScorer]): The function; None where the codec has no grammar.
    """
    pieces: Any = BytePieces()
    make_grammar = find_grammar(GrammarContext(codec, tuple(labels), pieces, max_depth))
    if make_grammar is None:
        return None
    is_json = codec.name == JsonCodec.name

    def score(text: str, answer: str, tokens: Sequence[TokenLogprobs]) -> Tuple[Mention, ...]:
        source = SourceTokens(text, pieces)
        spelt = answer.encode("utf8", "surrogatepass")
        # Before the list may stand the object that holds it, or a fence.
        spelt = spelt[max(spelt.find(b"["), 0):] if is_json else spelt
        starts = align_tokens(spelt, tokens)
        if starts is None:
            return ()
        read = ReadAnswer(make_grammar(source), spelt)
        if is_json and not read.is_whole:
            read = ReadAnswer(make_grammar(source), spelt, skipped=_WHITE_SPACE)
        return in_text_order(score_found(read, source, tokens, starts))

    return score


def align_tokens(answer: bytes, tokens: Sequence[TokenLogprobs]) -> Optional[List[int]]:
    """Find where tokens begin in an answer.

    answer (bytes): The answer.
    tokens (Sequence[TokenLogprobs]): Its tokens, and maybe others before and behind, as of reasoning.
    RETURNS (Optional[List[int]]): Where each begins, below 0 before the answer; None where they do not spell it.
    """
    spelt = b"".join(token.data for token in tokens)
    before = spelt.rfind(answer)
    if before < 0 or not answer:
        return None
    return [start - before for start in accumulate((len(token.data) for token in tokens[:-1]), initial=0)]


def score_found(read: ReadAnswer, source: SourceTokens, tokens: Sequence[TokenLogprobs],
                starts: Sequence[int]) -> List[Mention]:
    """Return the mentions of an answer whose decisions all have a probability, with the product of these.

    read (ReadAnswer): The answer.
    source (SourceTokens): The source text.
    tokens (Sequence[TokenLogprobs]): The tokens.
    starts (Sequence[int]): Where each begins in the answer.
    """
    def score(factors: Factors) -> Optional[float]:
        total = 0.0
        for decision in (read.decisions[number] for number in factors):
            number = bisect_right(starts, decision.at) - 1
            logarithm = read.log_probability(decision, tokens[number], starts[number])
            if logarithm is None:
                return None
            total += logarithm
        return math.exp(total)

    scored = [(found, score(found.factors)) for found in read.found]
    return [Mention(source.units[found.start].start, source.units[found.end - 1].end, found.label, score=value)
            for found, value in scored if value is not None]
