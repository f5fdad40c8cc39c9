"""Sentences from seeds, well formed by construction.

The model writes freely, but a tag can only be completed by a seed that is still to be used, no tag opens when none is
left, the sentence cannot close before every seed stands in it, and a seed that the model writes without its tag gets it
at once: its tokens are taken back and written again inside the tag. What can still go wrong is that a sentence reaches
its length limit; it is then sampled again a few times, and counted.
"""

import hashlib
import math
import random
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import torch
from transformers.cache_utils import DynamicCache

from ..codecs.base import Piece
from ..units import find_units
from .answers import encode_pieces, encode_prompt
from .base import Reply, Request
from .causal_lm import CausalLM

START, END = "<start_sentence>", "</end_sentence>"
_JOINING = "([{-/\"'"
_FULL_STOPS = (".", "。", "!", "?", ";")


def tag_pieces(text: str, label: str, *, space: str) -> List[Piece]:
    """Spell a tagged seed as the codec of seed tags does: the white space before it belongs to the opening tag."""
    ends = [end for _, end in find_units(text)]
    copies = [Piece(text[start:end], "copy") for start, end in zip([0, *ends], ends)]
    tag = [Piece(f"{space}<", "open"), Piece(label, "label"), Piece(">", "other")]
    return [*tag, *copies, Piece(f"</{label}>", "close")]


@dataclass
class _Row:
    """A sentence that is being written.

    index (int): Its request.
    attempt (int): How often it was begun, this time counted.
    seeds (List[Tuple[str, str]]): Seeds still to be used, as (text, label).
    chance (random.Random): The random numbers of this sentence alone.
    answer (List[int]): Tokens written.
    queue (List[int]): Tokens that come next without a choice.
    all_seeds (Tuple[Tuple[str, str], ...]): All its seeds.
    options (List): Inside an opened tag, the seeds that it can become, with the tokens of their tags.
    depth (int): Tokens of the opened tag that are written.
    free (List[Tuple[int, str]]): Words since the last tag, each with its column in the cache.
    position (int): Position of the next token.
    done (Optional[str]): "stop" or "length" when it is finished.
    """

    index: int
    attempt: int
    seeds: List[Tuple[str, str]]
    chance: random.Random
    answer: List[int] = field(default_factory=list)
    queue: List[int] = field(default_factory=list)
    all_seeds: Tuple[Tuple[str, str], ...] = ()
    options: List[Tuple[Tuple[str, str], List[int]]] = field(default_factory=list)
    depth: int = 0
    free: List[Tuple[int, str]] = field(default_factory=list)
    position: int = 0
    done: Optional[str] = None

    @property
    def tail(self) -> str:
        """What was written freely since the last tag."""
        return "".join(text for _, text in self.free)


class GroundedGenerator:
    """Writes sentences that hold their seeds, each in its tag.

    lm (CausalLM): The model, with its adapter where it was taught.
    temperature (float): Sampling temperature; 0 takes the most probable token.
    top_p (float): Share of the probability that is sampled from.
    top_k (int): How many of the most probable tokens are looked at.
    seed (int): Random seed; with the prompt and the sample number it fixes each sentence's draws.
    max_new_tokens (int): Length limit of an answer in tokens.
    attempts (int): How often a sentence that reaches the limit is sampled.
    batch_size (int): Sentences written together.
    chat (bool): Whether prompts carry the model's chat markup.
    """

    def __init__(self, lm: CausalLM, *, temperature: float = 0.8, top_p: float = 0.95, top_k: int = 64, seed: int = 0,
                 max_new_tokens: int = 128, attempts: int = 3, batch_size: int = 32, chat: bool = False) -> None:
        self.lm = lm
        self.temperature = temperature
        self.top_p = top_p
        self.top_k = top_k
        self.seed = seed
        self.max_new_tokens = max_new_tokens
        self.attempts = attempts
        self.batch_size = batch_size
        self.chat = chat
        tokenizer = lm.tokenizer
        self._texts = [tokenizer.decode([token]) for token in range(len(tokenizer))]
        self._tags: Dict[Tuple[str, str, str], List[int]] = {}
        self._start = encode_pieces(tokenizer, [Piece(START, "other")])
        self._end = encode_pieces(tokenizer, [Piece(END, "other")])
        size = lm.model.get_output_embeddings().weight.shape[0]
        control = set(tokenizer.all_special_ids)
        banned = [token >= len(self._texts) or token in control or not self._texts[token]
                  or any(mark in self._texts[token] for mark in ("<", "\n", "\r")) for token in range(size)]
        self._banned = torch.tensor(banned, device=lm.device)

    def identity(self) -> Mapping[str, Any]:
        """RETURNS (Mapping[str, Any]): All that a reply depends on beside its prompt."""
        return {**self.lm.identity(), "decoding": "grounded_generation", "temperature": self.temperature,
                "top_p": self.top_p, "top_k": self.top_k, "seed": self.seed, "max_new_tokens": self.max_new_tokens,
                "attempts": self.attempts, "chat": self.chat}

    @property
    def context_length(self) -> int:
        return self.lm.context_length

    def count_tokens(self, text: str) -> int:
        return self.lm.count_tokens(text)

    def generate(self, requests: Sequence[Request]) -> Iterable[Tuple[int, Reply]]:
        """Write the sentences of the requests; each request names its seeds.

        requests (Sequence[Request]): Requests with `seeds`.
        YIELDS (Tuple[int, Reply]): Index and reply, batch by batch; `usage["attempts"]` says how often it was sampled.
        """
        prompts = [encode_prompt(self.lm.tokenizer, request.prompt, chat=self.chat) for request in requests]
        fits = [len(prompt) + self.max_new_tokens <= self.context_length for prompt in prompts]
        for index, fit in enumerate(fits):
            if not fit:
                yield index, Reply(finish_reason="error", error="prompt and answer do not fit the model's context")
        pending = [(index, 1) for index in sorted(range(len(requests)), key=lambda item: len(prompts[item]))
                   if fits[index]]
        while pending:
            batch, pending = pending[:self.batch_size], pending[self.batch_size:]
            rows = [self._start_row(requests[index], index, attempt) for index, attempt in batch]
            for row in self._write(rows, [prompts[row.index] for row in rows]):
                if row.done == "length" and row.attempt < self.attempts:
                    pending.append((row.index, row.attempt + 1))
                    continue
                usage = {"prompt_tokens": len(prompts[row.index]), "answer_tokens": len(row.answer),
                         "attempts": row.attempt}
                yield row.index, Reply(text=self.lm.tokenizer.decode(row.answer), finish_reason=str(row.done),
                                       usage=usage)

    def _start_row(self, request: Request, index: int, attempt: int) -> _Row:
        key = f"{self.seed}|{request.sample}|{attempt}|{request.prompt.plain}".encode("utf8", "surrogatepass")
        chance = random.Random(int.from_bytes(hashlib.sha256(key).digest()[:8], "big"))
        return _Row(index, attempt, list(request.seeds), chance, queue=list(self._start),
                    all_seeds=tuple(request.seeds))

    @torch.inference_mode()
    def _write(self, rows: List[_Row], prompts: Sequence[List[int]]) -> Iterable[_Row]:
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
        shared = _shared_length(prompts)
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

    def _choose(self, rows: Sequence[_Row], logits: torch.Tensor, mask: torch.Tensor) -> List[int]:
        """Choose the next token of each row.

        rows (Sequence[_Row]): The rows of the batch.
        logits (torch.Tensor): Scores of the next token, (rows, words).
        mask (torch.Tensor): Columns of the cache that each row sees, (rows, columns); taken-back tokens are hidden.
        RETURNS (List[int]): A token a row.
        """
        best, candidates = logits.masked_fill(self._banned, float("-inf")).topk(self.top_k, dim=-1)
        words = [dict(zip(*pair)) for pair in zip(candidates.tolist(), best.tolist())]
        tokens = []
        for number, row in enumerate(rows):
            if row.done is None and not row.queue:
                if row.options:
                    self._walk_tag(row, logits[number])
                else:
                    self._write_freely(row, words[number], logits[number], mask[number])
            tokens.append(row.queue.pop(0) if row.done is None else self._end[0])
            if row.done is None:
                row.answer.append(tokens[-1])
                if row.answer[-len(self._end):] == self._end:
                    row.done = "stop"
                elif len(row.answer) >= self.max_new_tokens:
                    row.done = "length"
        return tokens

    def _walk_tag(self, row: _Row, scores: torch.Tensor) -> None:
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
            row.seeds.remove(seed)
            row.options, row.free = [], []

    def _write_freely(self, row: _Row, words: Dict[int, float], scores: torch.Tensor, mask: torch.Tensor) -> None:
        """Choose among a word, the opening of a tag where a seed is left, and the end where none is.

        row (_Row): The row.
        words (Dict[int, float]): The best ordinary tokens with their scores.
        scores (torch.Tensor): Scores of all tokens, (words,).
        mask (torch.Tensor): The row's columns, (columns,).
        """
        tags = self._tags_of(row)
        marks = {ids[0] for _, ids in tags} or {self._end[0]}
        if row.seeds:
            # A sentence that still lacks a seed cannot end, so it cannot reach its full stop either.
            words = {token: score for token, score in words.items()
                     if self._texts[token].strip() not in _FULL_STOPS} or words
        token = self._sample(row, {**words, **{mark: float(scores[mark]) for mark in marks}})
        written = self._find_untagged(row, "<" if token in marks else self._texts[token])
        if written is not None:
            self._tag_written(row, *written, mask)
        elif token == self._end[0] and not row.seeds:
            row.queue.extend(self._end)
        elif token in marks:
            row.options, row.depth = [tag for tag in tags if tag[1][0] == token], 0
            self._walk_tag(row, scores)
        else:
            row.queue.append(token)
            row.free.append((mask.shape[0], self._texts[token]))

    def _tags_of(self, row: _Row) -> List[Tuple[Tuple[str, str], List[int]]]:
        """RETURNS (List[Tuple[Tuple[str, str], List[int]]]): The seeds left, each with the tokens of its tag. A space
        stands before it but at the start, after what opens or joins, and in Chinese."""
        before = self._texts[row.answer[-1]][-1:] if len(row.answer) > len(self._start) else ""
        space = " " if before and before.isascii() and before not in _JOINING else ""
        return [(seed, self._tag(seed, space)) for seed in row.seeds]

    def _tag(self, seed: Tuple[str, str], space: str) -> List[int]:
        key = (*seed, space)
        if key not in self._tags:
            self._tags[key] = encode_pieces(self.lm.tokenizer, tag_pieces(*seed, space=space))
        return self._tags[key]

    def _find_untagged(self, row: _Row, following: str) -> Optional[Tuple[Tuple[str, str], int]]:
        """Look whether the words written last are a seed that should have stood in its tag.

        row (_Row): The row.
        following (str): The text that would come next.
        RETURNS (Optional[Tuple[Tuple[str, str], int]]): The seed and the number of tokens that spell it.
        """
        if not row.free or (following[:1].isalnum() and following[:1].isascii()):
            return None
        tail = row.tail.casefold()
        for seed in sorted(row.all_seeds, key=lambda item: -len(item[0])):
            name = seed[0].casefold()
            if not tail.endswith(name) or self._goes_on(row, name + following.casefold()):
                continue
            length = 0
            for count, (_, text) in enumerate(reversed(row.free), start=1):
                length += len(text)
                written = row.tail[-length:]
                if written.strip().casefold() == name and (written[:1].isspace() or length == len(tail)
                                                           or not tail[-length - 1].isalnum()):
                    return seed, count
        return None

    def _goes_on(self, row: _Row, beginning: str) -> bool:
        """RETURNS (bool): Whether a longer seed begins so; then its end is waited for."""
        return any(text.casefold().startswith(beginning) and len(text) >= len(beginning) for text, _ in row.all_seeds)

    def _tag_written(self, row: _Row, seed: Tuple[str, str], count: int, mask: torch.Tensor) -> None:
        """Take back the tokens of a seed that was written without its tag, and write it again inside the tag."""
        written = "".join(text for _, text in row.free[-count:])
        for column, _ in row.free[-count:]:
            mask[column] = 0
        row.position -= count
        del row.answer[-count:]
        surface = written.strip()
        row.queue.extend(self._tag((surface, seed[1]), written[:len(written) - len(written.lstrip())]))
        if seed in row.seeds:
            row.seeds.remove(seed)
        row.free = []

    def _sample(self, row: _Row, scores: Dict[int, float]) -> int:
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


def _shared_length(prompts: Sequence[List[int]]) -> int:
    """RETURNS (int): Tokens that all prompts begin with, at least one left to each."""
    first, last = min(prompts), max(prompts)
    limit = min(len(prompt) for prompt in prompts) - 1
    shared = 0
    while shared < min(limit, len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    return shared
