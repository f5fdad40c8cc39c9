"""Annotation by a local model: grounded decoding against the loops that it replaces, and against a bare forward pass.

(a) one prompt at a time through `generate`, as spacy-llm's local models do it; (b) `generate` in the best batch size;
(c) grounded decoding; and the floor, one forward pass over prompt and answer. All with the same weights, in the same
number type, sorted by length, stopping at the end token, padded to the longest of the batch. Each is run several times
in turn and its best time counts, since other work on the machine only ever adds to a time.

    python -m benchmarks.annotation --adapter bracket=training/adapter --adapter json=training/adapter-json
"""

import argparse
import random
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import torch

from spacy_bioner.annotation import Annotation
from spacy_bioner.cli._shared.schema import Schema, read_schema
from spacy_bioner.codecs import make_codec
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.files import write_json
from spacy_bioner.finetuning.annotator_training import Task, finetune
from spacy_bioner.finetuning.lora.lora_settings import LoraSettings, TrainingSettings
from spacy_bioner.finetuning.records import Corpus
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.llm.decoding.free import pad_left
from spacy_bioner.llm.decoding.grounded import GroundedDecoder
from spacy_bioner.llm.local.causal_lm import CausalLM, load_causal_lm
from spacy_bioner.llm.local.tokenization import encode_pieces, encode_prompt
from spacy_bioner.llm.protocol import Reply, Request
from spacy_bioner.prompts.build import PromptBuilder

MODEL = "smollm2-135m-instruct"
ROOT = Path(__file__).parents[1]
AIMS = {"bracket": {"loop": 15, "batches": 2.5, "floor": 0.85}, "json": {"loop": 8, "batches": None, "floor": None},
        "html": {"loop": None, "batches": None, "floor": None}}
# A forward pass is fastest in smaller batches than writing token by token. A GPU wants more of everything.
_BATCH_SIZES = {"cpu": {"floor": (8, 16, 32), "batches": (16, 32, 64)},
                "cuda": {"floor": (32, 128, 512), "batches": (32, 128, 512)}}


class Contest:
    """The same sentences for all contenders.

    lm (CausalLM): The model with its adapter.
    builder (PromptBuilder): Renders the prompts.
    sentences (Sequence[Annotation]): What is annotated.
    """

    def __init__(self, lm: CausalLM, builder: PromptBuilder, sentences: Sequence[Annotation]) -> None:
        self.lm = lm
        requests = [Request(builder.render(sentence.text), text=sentence.text) for sentence in sentences]
        encoded = [encode_prompt(lm.tokenizer, request.prompt) for request in requests]
        order = sorted(range(len(requests)), key=lambda index: len(encoded[index]))
        self.sentences = [sentences[index] for index in order]
        self.requests = [requests[index] for index in order]
        self.prompts = [encoded[index] for index in order]
        self.decoder = GroundedDecoder(lm, codec=builder.codec, labels=builder.labels)
        self.codec = builder.codec
        self.answers: List[List[int]] = []

    def ground(self) -> Dict[int, Reply]:
        """Contender (c)."""
        return dict(self.decoder.generate(self.requests))

    def find_answers(self) -> None:
        """Note the answers, for the floor and for the length limit of the others."""
        labels = self.decoder.labels
        replies = self.ground()
        marked = [sentence.with_mentions(replies[index].mentions) for index, sentence in enumerate(self.sentences)]
        self.answers = [encode_pieces(self.lm.tokenizer, self.codec.pieces(each, labels)) for each in marked]

    @torch.inference_mode()
    def write(self, batch_size: int, *, every: int = 1) -> int:
        """Contenders (a), with a batch size of 1, and (b).

        batch_size (int): Sentences of a batch.
        every (int): Take one of so many sentences.
        RETURNS (int): How many sentences were annotated.
        """
        prompts, answers = self.prompts[::every], self.answers[::every]
        for start in range(0, len(prompts), batch_size):
            rows = prompts[start:start + batch_size]
            longest = max(map(len, answers[start:start + batch_size]))
            tokens, mask = pad_left(rows, self.lm.end_ids[0], self.lm.device)
            self.lm.model.generate(input_ids=tokens, attention_mask=mask, do_sample=False,
                                   max_new_tokens=longest + 16, eos_token_id=list(self.lm.end_ids),
                                   pad_token_id=self.lm.end_ids[0])
        return len(prompts)

    @torch.inference_mode()
    def pass_over(self, batch_size: int) -> None:
        """The floor: prompt and answer in one forward pass, logits for the answer."""
        for start in range(0, len(self.prompts), batch_size):
            answers = self.answers[start:start + batch_size]
            rows = [prompt + answer for prompt, answer in zip(self.prompts[start:start + batch_size], answers)]
            tokens, mask = pad_left(rows, self.lm.end_ids[0], self.lm.device)
            self.lm.model(input_ids=tokens, attention_mask=mask, use_cache=False,
                          logits_to_keep=max(map(len, answers)) + 1)


def measure(contest: Contest, *, rounds: int, every: int) -> Dict[str, Any]:
    """Time all contenders in turn.

    contest (Contest): The contest.
    rounds (int): How often; the best time of each counts.
    every (int): The one-at-a-time loop takes one of so many sentences.
    RETURNS (Dict[str, Any]): Sentences a second of each, the best batch sizes, passes and tokens.
    """
    contest.find_answers()
    count = len(contest.prompts)
    decoder = contest.decoder._decoder
    contenders: Dict[Tuple[str, int], Callable[[], Any]] = {("grounded", 0): contest.ground}
    sizes = _BATCH_SIZES[contest.lm.device.type]
    for size in sizes["floor"]:
        contenders["floor", size] = lambda size=size: contest.pass_over(size)
    for size in sizes["batches"]:
        contenders["batches", size] = lambda size=size: contest.write(size)
    contenders["loop", 1] = lambda: contest.write(1, every=every)
    best: Dict[Tuple[str, int], float] = {}
    for _ in range(rounds):
        for key, run_once in contenders.items():
            passes, tokens = decoder.passes, decoder.tokens
            seconds = time_once(run_once, contest.lm.device)
            if key == ("grounded", 0):
                work = {"passes": decoder.passes - passes, "tokens": decoder.tokens - tokens}
            done = len(contest.prompts[::every]) if key[0] == "loop" else count
            best[key] = min(best.get(key, float("inf")), seconds / done)
    rates: Dict[str, Dict[str, float]] = {}
    by_size = {f"{name} {size}": round(1 / seconds, 3) for (name, size), seconds in best.items()}
    for (name, size), seconds in best.items():
        if name not in rates or 1 / seconds > rates[name]["sentences_per_second"]:
            rates[name] = {"sentences_per_second": round(1 / seconds, 3), "batch_size": size}
    tokens = sum(len(prompt) + len(answer) for prompt, answer in zip(contest.prompts, contest.answers))
    return {"rates": rates, "by_size": by_size, "sentences": count, "prompt_and_answer_tokens": tokens,
            "grounded": work, "dtype": str(contest.lm.model.dtype)}


def time_once(run_once: Callable[[], Any], device: torch.device) -> float:
    """Return seconds until the last result is there; a GPU is waited for."""
    started = time.perf_counter()
    run_once()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def run(*, quick: bool = False, formats: Sequence[str] = ("bracket", "json"),
        adapters: Optional[Mapping[str, Path]] = None, sentences: int = 128, rounds: int = 3) -> Dict[str, Any]:
    """Measure each format.

    quick (bool): Few sentences, an adapter that has learnt little.
    formats (Sequence[str]): Names of codecs.
    adapters (Optional[Mapping[str, Path]]): Format to adapter; where there is none a small one is trained.
    sentences (int): How many sentences are annotated; the one-at-a-time loop takes sixteen of them, or all.
    rounds (int): How often; the best time of each contender counts.
    RETURNS (Dict[str, Any]): The ratios, and what they were made from.
    """
    train, test, schema, source = read_corpus()
    chosen = test[:16 if quick else sentences]
    result: Dict[str, Any] = {"ratios": [], "model": MODEL, "corpus": source}
    for name in formats:
        folder = (adapters or {}).get(name) or train_quickly(name, train[:16 if quick else 400], schema)
        lm = load_causal_lm(MODEL, adapter=str(folder))
        builder = PromptBuilder(template="annotate.en", labels=schema.labels, codec=make_codec(name),
                                corpus=schema.corpus)
        figures = measure(Contest(lm, builder, chosen), rounds=1 if quick else rounds,
                          every=max(1, len(chosen) // 16))
        result[name] = figures
        rates = {key: value["sentences_per_second"] for key, value in figures["rates"].items()}
        for against, aim in AIMS[name].items():
            result["ratios"].append({"what": f"grounded {name}", "against": against, "aim": aim,
                                     "ratio": rates["grounded"] / rates[against]})
    return result


def read_corpus() -> Tuple[List[Annotation], List[Annotation], Schema, str]:
    """Return sentences to train on and to annotate, their
    labels, and where they come from: NCBI-Disease where it has been fetched, else the embedded corpus."""
    fetched = ROOT.parent / "shared" / "data" / "ncbi_disease"
    folder = fetched if fetched.is_dir() else ROOT / "assets" / "embedded"
    schema = read_schema(ROOT / "assets" / "labels" / "ncbi_disease.yml" if folder == fetched
                         else folder / "labels.yml")
    parts = []
    for part in ("train", "test"):
        cut = [sentence for each in read_jsonl(folder / f"{part}.jsonl") for sentence in split_sentences(each, "en")]
        random.Random(0).shuffle(cut)
        parts.append(cut)
    return parts[0], parts[1], schema, folder.name


def train_quickly(name: str, sentences: Sequence[Annotation], schema: Schema) -> Path:
    """Train the model on the format and a little of the task, once; the adapter is kept for the next run."""
    folder = ROOT / "training" / "benchmarks" / f"{name}-{len(sentences)}"
    if not (folder / "adapter_config.json").is_file():
        corpus = Corpus(tuple(sentences), schema.labels, schema.corpus, schema.lang)
        finetune([corpus], folder, lm=load_causal_lm(MODEL, for_training=True), task=Task(codec=make_codec(name)),
                 lora=LoraSettings(), training=TrainingSettings(max_epochs=2, batch_size=4))
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.annotation", description=__doc__.split("\n")[0])
    parser.add_argument("--format", action="append", choices=sorted(AIMS), help="bracket and json where not given")
    parser.add_argument("--adapter", action="append", default=[], metavar="FORMAT=FOLDER", help="a trained adapter")
    parser.add_argument("--sentences", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("metrics/benchmarks/annotation.json"))
    arguments = parser.parse_args()
    adapters = {name: Path(folder) for name, folder in (item.split("=", 1) for item in arguments.adapter)}
    result = run(formats=arguments.format or ("bracket", "json"), adapters=adapters, sentences=arguments.sentences,
                 rounds=arguments.rounds)
    write_json(arguments.output, result)
    for row in result["ratios"]:
        print(f"{row['what']} against {row['against']}: {row['ratio']:.2f} (aim {row['aim']})")


if __name__ == "__main__":
    main()
