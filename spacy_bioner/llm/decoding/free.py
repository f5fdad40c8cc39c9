"""Free decoding: the model writes what it likes, greedily or by sampling; the codecs read it afterwards."""

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import torch

from ...errors import Errors
from ...locks import one_at_a_time
from ..local.passes.batch_sizes import batch_sizes
from ..local.tokenization import encode_prompt
from ..protocol import Reply, Request

if TYPE_CHECKING:
    from ..local.causal_lm import CausalLM


class FreeDecoder:
    """Answers requests in batches of similar length.

    lm (CausalLM): The model.
    max_new_tokens (int): Limit of an answer; one that reaches it has finish reason "length".
    temperature (float): 0 takes the most probable token, above it tokens are drawn.
    top_p (float): Draw from the most probable tokens that together have this probability.
    seed (int): Random seed. A draw depends on the seed, the prompt and the number of the sample, not on the batch.
    max_batch_tokens (Optional[int]): Limit of a batch, padding and room for answers included; without it, what suits
        the device.
    chat (bool): Whether prompts are wrapped into chat markup.
    """

    def __init__(self, lm: "CausalLM", *, max_new_tokens: int = 512, temperature: float = 0.0, top_p: float = 1.0,
                 seed: int = 0, max_batch_tokens: Optional[int] = None, chat: bool = False) -> None:
        self.lm = lm
        self.max_new_tokens = max_new_tokens
        self.temperature = temperature
        self.top_p = top_p
        self.seed = seed
        self.max_batch_tokens = max_batch_tokens or batch_sizes(lm.device.type).batch
        self.chat = chat

    @property
    def context_length(self) -> int:
        return self.lm.context_length

    def count_tokens(self, text: str) -> int:
        return self.lm.count_tokens(text)

    def identity(self) -> Mapping[str, Any]:
        settings: Dict[str, Any] = {"decoding": "free", "max_new_tokens": self.max_new_tokens, "chat": self.chat}
        if self.temperature > 0:
            settings.update(temperature=self.temperature, top_p=self.top_p, seed=self.seed)
        return {**self.lm.identity(), **settings}

    @one_at_a_time
    def generate(self, requests: Sequence[Request]) -> Iterator[Tuple[int, Reply]]:
        """Answer requests, the shortest prompts first.

        requests (Sequence[Request]): A window of requests.
        YIELDS (Tuple[int, Reply]): Index into the requests, and its reply.
        """
        prompts = [encode_prompt(self.lm.tokenizer, request.prompt, chat=self.chat) for request in requests]
        fitting = []
        for index, prompt in enumerate(prompts):
            needed = len(prompt) + self.max_new_tokens
            if needed > self.context_length:
                reason = Errors.E210.format(needed=needed, context=self.context_length)
                yield index, Reply(finish_reason="error", error=reason)
            else:
                fitting.append(index)
        fitting.sort(key=lambda index: len(prompts[index]))
        for batch in self._batches(fitting, prompts):
            yield from self._answer(batch, requests, prompts)

    def _batches(self, order: List[int], prompts: List[List[int]]) -> Iterator[List[int]]:
        """Cut indices, sorted by length, into batches bounded by their padded tokens."""
        batch: List[int] = []
        for index in order:
            row = len(prompts[index]) + self.max_new_tokens
            if batch and row * (len(batch) + 1) > self.max_batch_tokens:
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch

    def _answer(self, batch: List[int], requests: Sequence[Request],
                prompts: List[List[int]]) -> Iterator[Tuple[int, Reply]]:
        started = time.perf_counter()
        choosers = None
        if self.temperature > 0:
            choosers = [Draws(self.seed, prompts[index], requests[index].sample) for index in batch]
        answers, passes = self._decode([prompts[index] for index in batch], choosers)
        seconds = (time.perf_counter() - started) / len(batch)
        for index, answer in zip(batch, answers):
            ended = bool(answer) and answer[-1] in self.lm.end_ids
            text = self.lm.tokenizer.decode(answer[:-1] if ended else answer, skip_special_tokens=True)
            usage = {"prompt_tokens": len(prompts[index]), "answer_tokens": len(answer),
                     "passes": passes / len(batch), "seconds": seconds}
            yield index, Reply(text=text, finish_reason="stop" if ended else "length", usage=usage)

    @torch.inference_mode()
    def _decode(self, prompts: List[List[int]], draws: Optional[List["Draws"]]) -> Tuple[List[List[int]], int]:
        """Write answers token by token; rows that have ended leave the batch when they are a quarter of it.

        prompts (List[List[int]]): Prompts as tokens.
        draws (Optional[List[Draws]]): Random numbers of each row; None is greedy.
        RETURNS (Tuple[List[List[int]], int]): Answers with their end tokens, and the number of forward passes.
        """
        from transformers import DynamicCache

        device, ends = self.lm.device, set(self.lm.end_ids)
        tokens, mask = pad_left(prompts, self.lm.end_ids[0], device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        cache = DynamicCache()
        answers: List[List[int]] = [[] for _ in prompts]
        rows, passes = list(range(len(prompts))), 0
        while True:
            logits = self.lm.model(input_ids=tokens, attention_mask=mask, position_ids=positions,
                                   past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
            passes += 1
            for row, token in zip(rows, self._choose(logits, rows, draws)):
                if not self._ended(answers[row], ends):
                    answers[row].append(token)
            alive = [place for place, row in enumerate(rows) if not self._ended(answers[row], ends)]
            if not alive:
                return answers, passes
            positions = positions[:, -1:] + 1
            if len(alive) <= 0.75 * len(rows):
                keep = torch.tensor(alive, device=device)
                cache.batch_select_indices(keep)
                mask, positions = mask[keep], positions[keep]
                rows = [rows[place] for place in alive]
            tokens = torch.tensor([[answers[row][-1]] for row in rows], device=device)
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)

    def _ended(self, answer: List[int], ends: set) -> bool:
        return len(answer) >= self.max_new_tokens or bool(answer and answer[-1] in ends)

    def _choose(self, logits: torch.Tensor, rows: List[int], draws: Optional[List["Draws"]]) -> List[int]:
        if draws is None:
            return logits.argmax(-1).tolist()
        chances = torch.tensor([draws[row].next() for row in rows], device=logits.device)
        return draw_tokens(logits, chances, temperature=self.temperature, top_p=self.top_p).tolist()


class Draws:
    """Random numbers of one sample, the same in whatever batch it is drawn.

    seed (int): Random seed of the run.
    prompt (Sequence[int]): The prompt as tokens.
    sample (int): Number of the sample.
    """

    def __init__(self, seed: int, prompt: Sequence[int], sample: int) -> None:
        key = hashlib.sha256(json.dumps([seed, list(prompt), sample]).encode()).digest()
        self._generator = torch.Generator().manual_seed(int.from_bytes(key[:8], "big") >> 1)

    def next(self) -> float:
        return torch.rand((), generator=self._generator).item()


def draw_tokens(logits: torch.Tensor, chances: torch.Tensor, *, temperature: float, top_p: float) -> torch.Tensor:
    """Draw one token a row.

    logits (torch.Tensor): (rows, vocabulary).
    chances (torch.Tensor): (rows,), numbers in [0, 1).
    temperature (float): Above 0.
    top_p (float): The most probable tokens that together have this probability are drawn from.
    RETURNS (torch.Tensor): (rows,), token ids.
    """
    probabilities, order = (logits.float() / temperature).softmax(-1).sort(-1, descending=True)
    before = probabilities.cumsum(-1) - probabilities
    probabilities = probabilities.masked_fill(before >= top_p, 0.0)
    sums = probabilities.cumsum(-1)
    place = torch.searchsorted(sums, chances.unsqueeze(-1) * sums[:, -1:], right=True)
    kept = (probabilities > 0).sum(-1, keepdim=True)
    return order.gather(-1, place.clamp(max=kept - 1)).squeeze(-1)


def pad_left(rows: List[List[int]], filler: int, device: torch.device) -> Tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and mask, (rows, longest), padded on the left."""
    width = max(map(len, rows))
    tokens = torch.tensor([[filler] * (width - len(row)) + row for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return tokens, mask
