"""Sentences from seeds, well formed by construction.

The model writes freely, but a tag can only be completed by a seed that is still to be used, no tag opens when none is
left, the sentence cannot close before every seed stands in it and it is long enough, and a seed that the model writes
without its tag gets it at once: its tokens are taken back and written again inside the tag. What can still go wrong is
that a sentence reaches its length limit; it is then sampled again a few times, and counted.
"""

import hashlib
import math
import random
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

import torch
from transformers.cache_utils import DynamicCache

from ...codecs.base import Piece
from ...codecs.seed_tags.seed_codec import CLOSE_WRAPPER, OPEN_WRAPPER, SeedTagCodec
from ...errors import Errors
from ...grounding.words import on_boundaries
from ...locks import one_at_a_time
from ...tokens import UNSPACED, find_units
from ..local.causal_lm import CausalLM
from ..local.tokenization import encode_pieces, encode_prompt
from ..protocol import Reply, Request
from .sentence_row import Part, Seed, SentenceRow, shared_length
from .token_bytes import complete_characters, read_token_bytes

# What a word follows without a space.
JOINING = "([{-/\"'“‘«"
_FULL_STOPS = (".", "。", "!", "?", ";", "！", "？", "；")


def tag_pieces(text: str, label: str, *, space: str) -> List[Piece]:
    """Spell a tagged seed as the codec of seed tags does: the white space before it belongs to the opening tag."""
    ends = [end for _, end in find_units(text)]
    copies = [Piece(text[start:end], "copy") for start, end in zip([0, *ends], ends)]
    tag = [Piece(f"{space}<", "open"), Piece(label, "label"), Piece(">", "other")]
    return [*tag, *copies, Piece(f"</{label}>", "close")]


class GroundedGenerator:
    """Writes sentences that hold their seeds, each in its tag.

    lm (CausalLM): The model, with its adapter where it was fine-tuned.
    temperature (float): Sampling temperature; 0 takes the most probable token.
    top_p (float): Share of the probability that is sampled from.
    top_k (int): How many of the most probable tokens are looked at.
    seed (int): Random seed; with the prompt and the sample number it fixes each sentence's draws.
    max_new_tokens (int): Length limit of an answer in tokens.
    attempts (int): How often a sentence that reaches the limit is sampled.
    batch_size (int): Sentences written together.
    min_units (int): Words and signs that a sentence has at least before its end; fewer are a heading, not a sentence.
    chat (bool): Whether prompts carry the model's chat markup.
    """

    def __init__(self, lm: CausalLM, *, temperature: float = 0.8, top_p: float = 0.95, top_k: int = 64, seed: int = 0,
                 max_new_tokens: int = 128, attempts: int = 3, batch_size: int = 32, min_units: int = 0,
                 chat: bool = False) -> None:
        self.lm = lm
        self.temperature = temperature
        self.top_p = top_p
        self.top_k = top_k
        self.seed = seed
        self.max_new_tokens = max_new_tokens
        self.attempts = attempts
        self.batch_size = batch_size
        self.min_units = min_units
        self.chat = chat
        self._bytes = read_token_bytes(lm.tokenizer)
        self._texts = [spelt.decode("utf8", "replace") for spelt in self._bytes]
        self._tags: Dict[Tuple[str, str, str], List[int]] = {}
        self._start = encode_pieces(lm.tokenizer, [Piece(OPEN_WRAPPER, "other")])
        self._end = encode_pieces(lm.tokenizer, [Piece(CLOSE_WRAPPER, "other")])
        self._control = set(lm.tokenizer.all_special_ids)
        self._never = self._find_tokens(lambda token: not self._is_word(token))
        # Words without a space before them; each Chinese character is a word of its own.
        self._joined = self._find_tokens(
            lambda token: self._texts[token][0].isalnum() and self._texts[token][0] < UNSPACED)
        self._stops = self._find_tokens(lambda token: self._texts[token].strip() in _FULL_STOPS)
        self._broken = self._find_tokens(lambda token: "\ufffd" in self._texts[token]
                                         and complete_characters(b"", self._bytes[token]) is None)

    def _is_word(self, token: int) -> bool:
        text = self._texts[token]
        return bool(text) and token not in self._control and not any(mark in text for mark in "<\n\r")

    def _find_tokens(self, test: Callable[[int], bool]) -> torch.Tensor:
        """Return which tokens pass a test, (words,); a score without a token always does."""
        size = self.lm.model.get_output_embeddings().weight.shape[0]
        known = [token < len(self._texts) and bool(self._texts[token]) for token in range(size)]
        return torch.tensor([test(token) if known[token] else True for token in range(size)], device=self.lm.device)

    def identity(self) -> Mapping[str, Any]:
        """Return all that a reply depends on beside its prompt."""
        return {**self.lm.identity(), "decoding": "grounded_generation", "temperature": self.temperature,
                "top_p": self.top_p, "top_k": self.top_k, "seed": self.seed, "max_new_tokens": self.max_new_tokens,
                "attempts": self.attempts, "min_units": self.min_units, "chat": self.chat}

    @property
    def context_length(self) -> int:
        return self.lm.context_length

    def count_tokens(self, text: str) -> int:
        return self.lm.count_tokens(text)

    @one_at_a_time
    def generate(self, requests: Sequence[Request]) -> Iterator[Tuple[int, Reply]]:
        """Write the sentences of the requests; each request names its seeds.

        requests (Sequence[Request]): Requests with `seeds`.
        YIELDS (Tuple[int, Reply]): Index and reply, batch by batch; `usage["attempts"]` says how often it was sampled.
        """
        prompts = [encode_prompt(self.lm.tokenizer, request.prompt, chat=self.chat) + self._start
                   for request in requests]
        fits = [len(prompt) + self.max_new_tokens <= self.context_length for prompt in prompts]
        for index, fit in enumerate(fits):
            if not fit:
                needed = len(prompts[index]) + self.max_new_tokens
                yield index, Reply(finish_reason="error",
                                   error=Errors.E210.format(needed=needed, context=self.context_length))
        pending = [(index, 1) for index in sorted(range(len(requests)), key=lambda item: len(prompts[item]))
                   if fits[index]]
        while pending:
            batch, pending = pending[:self.batch_size], pending[self.batch_size:]
            rows = [self._start_row(requests[index], index, attempt) for index, attempt in batch]
            for row in self._write(rows, [prompts[row.index] for row in rows]):
                reply = self._reply(row, len(prompts[row.index]))
                # With temperature 0 another attempt would write the same.
                if row.attempt < self.attempts and self.temperature > 0 and not _is_whole(row, reply):
                    pending.append((row.index, row.attempt + 1))
                else:
                    yield row.index, reply

    def _start_row(self, request: Request, index: int, attempt: int) -> SentenceRow:
        key = f"{self.seed}|{request.sample}|{attempt}|{request.prompt.plain}".encode("utf8", "surrogatepass")
        chance = random.Random(int.from_bytes(hashlib.sha256(key).digest()[:8], "big"))
        return SentenceRow(index, attempt, tuple(request.seeds), chance)

    def _reply(self, row: SentenceRow, prompt_tokens: int) -> Reply:
        usage: Dict[str, float] = {"prompt_tokens": prompt_tokens - len(self._start),
                                   "answer_tokens": row.steps + len(self._start), "attempts": row.attempt}
        end = CLOSE_WRAPPER if row.done == "stop" else ""
        return Reply(text=f"{OPEN_WRAPPER}{row.spell()}{end}", finish_reason=str(row.done), usage=usage)

    @torch.inference_mode()
    def _write(self, rows: List[SentenceRow], prompts: Sequence[List[int]]) -> Iterable[SentenceRow]:
        """Write a batch of sentences token by token; finished rows leave the batch when they are half of it."""
        cache, mask, logits = self._read_prompts(prompts)
        for row, prompt in zip(rows, prompts):
            row.position = len(prompt)
        while rows:
            tokens = self._choose(rows, logits, mask)
            active = [number for number, row in enumerate(rows) if row.done is None]
            if len(active) <= len(rows) // 2:
                yield from (row for row in rows if row.done is not None)
                if not active:
                    return
                keep = torch.tensor(active, device=mask.device)
                rows = [rows[number] for number in active]
                cache.batch_select_indices(keep)
                mask, tokens = mask[keep], [tokens[number] for number in active]
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
            positions = torch.tensor([[row.position] for row in rows], device=mask.device)
            output = self.lm.model(input_ids=torch.tensor(tokens, device=mask.device)[:, None], attention_mask=mask,
                                   position_ids=positions, past_key_values=cache, use_cache=True)
            logits = output.logits[:, -1].float()
            for row in rows:
                row.position += 1

    def _read_prompts(self, prompts: Sequence[List[int]]) -> Tuple[DynamicCache, torch.Tensor, torch.Tensor]:
        """Run the prompts, what all share only once; shorter ones are padded after the shared part.

        RETURNS (Tuple[DynamicCache, torch.Tensor, torch.Tensor]): Cache, mask (rows, columns), logits (rows, words).
        """
        device = self.lm.device
        shared = shared_length(prompts)
        cache = DynamicCache()
        if shared:
            prefix = torch.tensor([prompts[0][:shared]], device=device)
            self.lm.model(input_ids=prefix, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache.batch_repeat_interleave(len(prompts))
        rest = [prompt[shared:] for prompt in prompts]
        width = max(map(len, rest))
        ids = torch.zeros(len(rest), width, dtype=torch.long, device=device)
        mask = torch.ones(len(rest), shared + width, dtype=torch.long, device=device)
        positions = torch.zeros(len(rest), width, dtype=torch.long, device=device)
        for number, tokens in enumerate(rest):
            padding = width - len(tokens)
            ids[number, padding:] = torch.tensor(tokens, device=device)
            mask[number, shared:shared + padding] = 0
            positions[number, padding:] = torch.arange(shared, shared + len(tokens), device=device)
        output = self.lm.model(input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache,
                               use_cache=True, logits_to_keep=1)
        return cache, mask, output.logits[:, -1].float()

    def _choose(self, rows: Sequence[SentenceRow], logits: torch.Tensor, mask: torch.Tensor) -> List[int]:
        """Choose the next token of each row.

        rows (Sequence[SentenceRow]): The rows of the batch.
        logits (torch.Tensor): Scores of the next token, (rows, words).
        mask (torch.Tensor): Columns of the cache that each row sees, (rows, columns); taken-back tokens are hidden.
        RETURNS (List[int]): A token a row.
        """
        banned = torch.stack([self._banned(row) for row in rows])
        best, candidates = logits.masked_fill(banned, float("-inf")).topk(min(self.top_k, banned.shape[1]), dim=-1)
        words = [{token: score for token, score in zip(*pair) if score > float("-inf")}
                 for pair in zip(candidates.tolist(), best.tolist())]
        tokens = []
        for number, row in enumerate(rows):
            if row.done is None and not row.queue:
                if row.options:
                    self._walk_tag(row, logits[number])
                else:
                    self._write_freely(row, words[number], logits[number], mask[number])
            if row.done is not None:
                tokens.append(self._end[0])
                continue
            tokens.append(row.queue.pop(0))
            row.cells.append((tokens[-1], mask.shape[1]))
            row.steps += 1
            if row.steps >= self.max_new_tokens:
                row.done = "length"
        return tokens

    def _banned(self, row: SentenceRow) -> torch.Tensor:
        """Return tokens that cannot be written freely here, (words,)."""
        banned = self._never
        if row.pending:
            return banned | ~self._broken
        banned = banned | self._broken
        if row.follows_tag and row.parts[-1].text[-1:].isalnum():
            banned = banned | self._joined
        # A sentence that cannot end yet cannot reach its full stop either.
        return banned if self._may_end(row) else banned | self._stops

    def _may_end(self, row: SentenceRow) -> bool:
        """Return whether all seeds stand and the sentence is long enough."""
        return not row.seeds and (not self.min_units or len(find_units(row.plain)) >= self.min_units)

    def _walk_tag(self, row: SentenceRow, scores: torch.Tensor) -> None:
        """Go on inside an opened tag, along the seeds that are still to be used, until one of them is certain."""
        legal = sorted({ids[row.depth] for _, ids in row.options})
        token = self._sample(row, dict(zip(legal, scores[legal].tolist())))
        row.options = [(seed, ids) for seed, ids in row.options if ids[row.depth] == token]
        row.depth += 1
        row.queue.append(token)
        seed, ids = row.options[0]
        # Seeds of the same name and label spell the same tag: then the first of them is taken.
        if all(other == ids for _, other in row.options):
            row.queue.extend(ids[row.depth:])
            row.add_tag(row.space, seed, seed, len(ids))
            row.options = []

    def _write_freely(self, row: SentenceRow, words: Dict[int, float], scores: torch.Tensor,
                      mask: torch.Tensor) -> None:
        """Choose among a word, the opening of a tag where a seed is left, and the end where none is.

        row (SentenceRow): The row.
        words (Dict[int, float]): The best ordinary tokens with their scores.
        scores (torch.Tensor): Scores of all tokens, (words,).
        mask (torch.Tensor): The row's columns, (columns,).
        """
        if row.pending:
            return self._finish_character(row, words)
        row.space = row.space_before_tag(JOINING)
        tags = [(seed, self._tag(seed, row.space)) for seed in row.seeds]
        marks = {ids[0] for _, ids in tags} or ({self._end[0]} if self._may_end(row) else set())
        token = self._sample(row, {**words, **{mark: float(scores[mark]) for mark in marks}})
        written = row.find_untagged(None if token in marks else self._texts[token])
        if written is not None:
            self._tag_written(row, *written, mask)
        elif token not in marks:
            self._add_word(row, token)
        elif row.seeds:
            row.options, row.depth = [tag for tag in tags if tag[1][0] == token], 0
            self._walk_tag(row, scores)
        else:
            row.done = "stop"

    def _finish_character(self, row: SentenceRow, words: Dict[int, float]) -> None:
        """Choose among the tokens that go on with a character of which only the beginning is written."""
        fitting = {token: score for token, score in words.items()
                   if complete_characters(row.pending, self._bytes[token]) is not None}
        if fitting:
            self._add_word(row, self._sample(row, fitting))
        else:
            row.done = "length"

    def _add_word(self, row: SentenceRow, token: int) -> None:
        whole = complete_characters(row.pending, self._bytes[token])
        text, row.pending = whole if whole is not None else ("", b"")
        row.parts.append(Part(text, 1))
        row.queue.append(token)

    def _tag(self, seed: Seed, space: str) -> List[int]:
        key = (*seed, space)
        if key not in self._tags:
            self._tags[key] = encode_pieces(self.lm.tokenizer, tag_pieces(*seed, space=space))
        return self._tags[key]

    def _tag_written(self, row: SentenceRow, seed: Seed, start: int, end: int, mask: torch.Tensor) -> None:
        """Take back a seed that was written without its tag, and write it again inside the tag."""
        surface = row.plain[start:end]
        before = row.take_back(start, mask)
        word = before.rstrip()
        if word:
            ids = encode_pieces(self.lm.tokenizer, [Piece(word, "copy")])
            row.parts.append(Part(word, len(ids)))
            row.queue.extend(ids)
        ids = self._tag((surface, seed[1]), before[len(word):])
        row.queue.extend(ids)
        row.add_tag(before[len(word):], (surface, seed[1]), seed if seed in row.seeds else None, len(ids))

    def _sample(self, row: SentenceRow, scores: Dict[int, float]) -> int:
        """Draw a token from scores by temperature and top-p with the row's own random numbers."""
        ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        if self.temperature == 0 or len(ranked) == 1:
            return ranked[0][0]
        weights = [math.exp((score - ranked[0][1]) / self.temperature) for _, score in ranked]
        limit = self.top_p * sum(weights)
        kept, total = 0, 0.0
        while kept < len(weights) and total < limit:
            total += weights[kept]
            kept += 1
        draw = row.chance.random() * total
        for (token, _), weight in zip(ranked[:kept], weights[:kept]):
            draw -= weight
            if draw <= 0:
                return token
        return ranked[kept - 1][0]


def _is_whole(row: SentenceRow, reply: Reply) -> bool:
    """Return whether a sentence has its end, all its seeds and nothing else in tags, and these at words."""
    labels = sorted({label for _, label in row.all_seeds})
    reading = SeedTagCodec().read(reply.text, labels, row.all_seeds)
    return (row.done == "stop" and reading.keep and not reading.issues
            and all(on_boundaries(reading.text, item.start, item.end) for item in reading.mentions))
