"""Grounded decoding: answers that can only copy the source and mark it, exact by construction.

The answer is drafted as a plain copy; a forward pass scores every place of it where a mark is legal; the draft is
accepted up to the first place where a mark beats the copy (see `draft_verify`). Passes grow with the decisions taken,
not with the tokens, and are shared by all texts that are under way (see `packed/packed_decoding`).
"""

import time
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from ...annotation import Mention, in_text_order
from ...codecs.base import Codec
from ...errors import Errors
from ...locks import one_at_a_time
from ..local.causal_lm import CausalLM
from ..local.passes.batch_sizes import batch_sizes, draft_sizes
from ..local.tokenization import encode_prompt
from ..protocol import Reply, Request
from .draft_verify import AnswerWalk
from .grammars.grammar import GrammarContext
from .grammars.registry import choose_grammar
from .grammars.source_tokens import PieceTokens, SourceTokens
from .packed.packed_model import PackedModel
from .packed.parallel_decoding import ParallelDecoder


class GroundedDecoder:
    """Annotates texts in batches; a `llm.protocol.LanguageModel` whose replies hold scored mentions.

    lm (CausalLM): The model.
    codec (Codec): The format of the answers; its grammar is that of `grammars/registry.py`.
    labels (Mapping[str, str]): The labels of the schema; their order is that of the prompt.
    max_batch_tokens (Optional[int]): Tokens of all sequences in flight; bounds the memory of their keys and values.
    pass_tokens (Optional[int]): New tokens of one forward pass. Without either, what suits the device.
    max_depth (int): How deep mentions may nest.
    chat (bool): Whether prompts are wrapped into chat markup.
    RAISES BionerError: E211 where the model cannot run packed, E212 where the codec cannot be grounded.
    """

    def __init__(self, lm: CausalLM, *, codec: Codec, labels: Mapping[str, str],
                 max_batch_tokens: Optional[int] = None, pass_tokens: Optional[int] = None, max_depth: int = 4,
                 chat: bool = False) -> None:
        self.lm = lm
        self.codec = codec
        self.labels = list(labels)
        self.max_depth = max_depth
        self.chat = chat
        sizes = batch_sizes(lm.device.type)
        self._decoder = ParallelDecoder(PackedModel(lm), max_batch_tokens=max_batch_tokens or sizes.batch,
                                        pass_tokens=pass_tokens or sizes.one_pass)
        self._pieces = PieceTokens(lm.tokenizer)
        self._make_grammar = choose_grammar(GrammarContext(codec, tuple(labels), self._pieces, max_depth))

    def share_memory(self, other: "GroundedDecoder") -> None:
        """Keep keys and values where another decoder of the same model keeps its own; the two then work in turn, each
        to the end of its requests."""
        self._decoder = other._decoder

    @property
    def context_length(self) -> int:
        return self.lm.context_length

    def count_tokens(self, text: str) -> int:
        return self.lm.count_tokens(text)

    def identity(self) -> Mapping[str, Any]:
        return {**self.lm.identity(), "decoding": "grounded", "codec": self.codec.settings(), "labels": self.labels,
                "max_depth": self.max_depth, "chat": self.chat}

    @one_at_a_time
    def generate(self, requests: Sequence[Request]) -> Iterator[Tuple[int, Reply]]:
        """Annotate texts, the longest first.

        requests (Sequence[Request]): A window of requests.
        YIELDS (Tuple[int, Reply]): Index into the requests, and its reply, as soon as it exists.
        """
        sources: Dict[int, SourceTokens] = {}
        walks: Dict[int, AnswerWalk] = {}
        drafts = draft_sizes(self.lm.device.type, len(requests))
        for index, request in enumerate(requests):
            source = SourceTokens(request.text, self._pieces)
            prompt = encode_prompt(self.lm.tokenizer, request.prompt, chat=self.chat)
            grammar = self._make_grammar(source)
            needed = len(prompt) + grammar.least_tokens
            if needed > self.context_length:
                reason = Errors.E210.format(needed=needed, context=self.context_length)
                yield index, Reply(finish_reason="error", error=reason)
                continue
            sources[index] = source
            limit = min(self.context_length, len(prompt) + grammar.most_tokens)
            walks[index] = AnswerWalk(grammar, prompt, limit, drafts)
        numbers = {id(walk): index for index, walk in walks.items()}
        before = time.perf_counter()
        for walk in self._decoder.run(list(walks.values())):
            index = numbers[id(walk)]
            now = time.perf_counter()
            yield index, self._reply(walk, sources[index], seconds=now - before)
            before = time.perf_counter()

    def _reply(self, walk: AnswerWalk, source: SourceTokens, *, seconds: float) -> Reply:
        mentions = [Mention(source.units[found.start].start, source.units[found.end - 1].end, found.label,
                            score=walk.probability(found.factors), grounding="exact") for found in walk.mentions]
        usage = {"prompt_tokens": len(walk.prompt), "answer_tokens": len(walk.answer), "passes": walk.passes,
                 "seconds": seconds}
        return Reply(text=walk.text, finish_reason="length" if walk.cut else "stop", mentions=in_text_order(mentions),
                     usage=usage)
