"""Train the annotator: gold records to a LoRA adapter with its card."""

import hashlib
import logging
import random
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence

from torch import nn

from ..annotation import Annotation, Mention
from ..codecs.base import Codec
from ..corpus.sentences import split_sentences
from ..errors import BionerError, Warnings
from ..evaluation.counts import add_up, count_strict, micro
from ..llm.adapter import AdapterCard
from ..llm.local.fingerprint import adapter_fingerprint
from ..llm.protocol import LanguageModel, Reply, Request
from ..prompts.build import PromptBuilder
from .lora.lora_settings import LoraSettings, TrainingSettings
from .lora.processes import Processes
from .lora.trainer import Progress, Training, train_adapter
from .pairs import Pair, drop_long, hash_pairs
from .records import Corpus, Losses, count_decisions, count_tokens, encode_record, make_builders, make_records

if TYPE_CHECKING:
    from ..llm.local.causal_lm import CausalLM

logger = logging.getLogger(__name__)
_DEV_SEED = 0
_PACKAGES = ("spacy-bioner", "torch", "transformers", "tokenizers", "peft")


@dataclass(frozen=True)
class Task:
    """What the model is trained to answer.

    codec (Codec): Format of the answers.
    template (str): Prompt template, "auto" for that of the language.
    instruction (str): "all" asks for all labels at once, "each" for one label at a time.
    chat (bool): Whether prompts are wrapped into chat markup.
    loss (str): "answer" counts all tokens of the answer, "decisions" only those that grounded decoding decides on.
    """

    codec: Codec
    template: str = "auto"
    instruction: str = "all"
    chat: bool = False
    loss: str = "answer"


def make_pairs(corpora: Sequence[Corpus], task: Task, lm: "CausalLM", losses: Losses) -> List[Pair]:
    """Write corpora as pairs to train on.

    corpora (Sequence[Corpus]): Gold records of one or more corpora, each with its own labels and language.
    task (Task): What the model is trained to answer.
    lm (CausalLM): The model, for its tokenizer.
    losses (Losses): Takes note of what cannot be written.
    RETURNS (List[Pair]): The pairs, corpus by corpus; training mixes them.
    """
    count = count_decisions if task.loss == "decisions" else None
    return [encode_record(record, lm.tokenizer, chat=task.chat, count=count) for corpus in corpora
            for record in make_records(corpus, codec=task.codec, template=task.template,
                                       instruction=task.instruction, losses=losses)]


def finetune(corpora: Sequence[Corpus], output: Path, *, lm: "CausalLM", task: Task, lora: LoraSettings,
             training: TrainingSettings, dev: Sequence[Annotation] = (), dev_limit: int = 100,
             dev_batch_tokens: int = 16384, progress: Optional[Progress] = None,
             processes: Optional[Processes] = None, start: Optional[Path] = None, overwrite: bool = False) -> Training:
    """Fine-tune a model to annotate.

    corpora (Sequence[Corpus]): What is trained on. The first one's labels and name go into the card, which annotation
        takes where it is asked for nothing else.
    output (Path): Folder of the adapter.
    lm (CausalLM): The frozen model.
    task (Task): What the model is trained to answer.
    lora (LoraSettings): The adapter.
    training (TrainingSettings): The training.
    dev (Sequence[Annotation]): Records of the first corpus, scored by decoding; none keeps the last weights.
    dev_limit (int): Records drawn from dev for each score, 0 for all.
    dev_batch_tokens (int): Tokens computed together in decoding.
    progress (Optional[Progress]): Called after each update.
    processes (Optional[Processes]): The processes of this training.
    start (Optional[Path]): Folder of an adapter to begin with.
    overwrite (bool): Whether the adapter of another training is replaced.
    RETURNS (Training): How it went.
    RAISES BionerError: E207 where the adapter to begin with is another model's.
    """
    losses = Losses()
    training = _within_context(training, lm)
    began_with = _describe_start(start, task, lm) if start is not None else {}
    pairs = make_pairs(corpora, task, lm, losses)
    counts = count_tokens(drop_long(pairs, training.max_length)[0])
    logger.info("%s records, %s prompt and %s answer tokens, the longest %s", *counts.values())
    if losses.unwritable:
        logger.warning("%s", losses)
    builders = make_builders(corpora[0], codec=task.codec, template=task.template, instruction=task.instruction)
    # Not by the seed of the training: trainings with several seeds are scored on the same sentences.
    scored = sample(dev, dev_limit, seed=_DEV_SEED)
    score = _DevScore(lm, scored, builders, chat=task.chat, max_batch_tokens=dev_batch_tokens) if scored else None
    # Before the training: a package without a version should not cost hours.
    card = make_card(corpora, task, lm, seed=training.seed, data_hash=hash_pairs(pairs))

    def write_card(folder: Path, figures: Mapping[str, Any]) -> None:
        from ..files import write_json

        write_json(folder / "training.json", {**figures, "counts": counts, "unwritable": dict(losses.unwritable),
                                              "loss": task.loss, "instruction": task.instruction,
                                              "corpora": [[corpus.name, len(corpus.annotations)]
                                                          for corpus in corpora]})
        measured = {"dev_f1": figures["score"]} if figures["score"] is not None else {}
        replace(card, score=measured, began_with=began_with).write(folder)

    return train_adapter(pairs, model=lm.model, output=output, write_card=write_card, base_model=lm.name, lora=lora,
                         training=training, score=score, progress=progress, processes=processes,
                         depends_on={"model": dict(lm.identity()), "dev": _hash_gold(scored)}, start=start,
                         int8=lm.settings.get("dtype") == "int8", overwrite=overwrite)


def _describe_start(start: Path, task: Task, lm: "CausalLM") -> Dict[str, Any]:
    """Return what the card says of the adapter that a training begins with."""
    card = AdapterCard.read(start)
    card.check_model(lm.shapes, lm.base_hash)
    if card.codec != task.codec.settings():
        logger.warning(Warnings.W304.format(trained=card.codec, asked=task.codec.settings()))
    return {"adapter": adapter_fingerprint(start), "data_hash": card.data_hash,
            "corpora": [card.corpus, *(corpus["corpus"] for corpus in card.more_corpora)]}


def make_card(corpora: Sequence[Corpus], task: Task, lm: "CausalLM", *, seed: int, data_hash: str) -> AdapterCard:
    """Write down what annotation must know of a training.

    corpora (Sequence[Corpus]): What is trained on.
    task (Task): How.
    lm (CausalLM): The model.
    seed (int): Random seed of the training.
    data_hash (str): Hash of the pairs.
    RETURNS (AdapterCard): The card, without a score.
    """
    builder, *others = (make_builders(corpus, codec=task.codec, template=task.template)[0] for corpus in corpora)
    return AdapterCard(base_model=lm.name, revision=str(lm.settings.get("revision") or ""), shapes=lm.shapes,
                       base_hash=lm.base_hash, codec=task.codec.settings(), labels=builder.labels,
                       corpus=builder.corpus, lang=builder.lang, template=builder.template_name,
                       template_source=builder.source,
                       more_templates={other.template_name: other.source for other in others
                                       if other.source != builder.source},
                       more_corpora=[{"labels": other.labels, "corpus": other.corpus, "lang": other.lang}
                                     for other in others],
                       instruction=task.instruction, chat=task.chat, max_sentences=usual_sentences(corpora),
                       seed=seed, versions=versions(), data_hash=data_hash)


def _within_context(training: TrainingSettings, lm: "CausalLM") -> TrainingSettings:
    """Return the training settings with no records over the context of the model, which it could not be asked for."""
    if training.max_length <= lm.context_length:
        return training
    logger.info("max_length is %s, but the model has a context of %s tokens: longer records are left out",
                training.max_length, lm.context_length)
    return training.model_copy(update={"max_length": lm.context_length})


def _hash_gold(annotations: Sequence[Annotation]) -> str:
    """Return a short hash of texts and mentions."""
    content = repr([(annotation.text, annotation.mentions) for annotation in annotations])
    return hashlib.sha256(content.encode("utf8", "surrogatepass")).hexdigest()[:16]


def usual_sentences(corpora: Sequence[Corpus]) -> int:
    """Return how many sentences a text has, at most in 19 of 20 texts."""
    counts = sorted(len(split_sentences(annotation, corpus.lang)) for corpus in corpora
                    for annotation in corpus.annotations)
    return counts[-(-len(counts) * 19 // 20) - 1]


def versions() -> Dict[str, str]:
    """Return versions of the packages that a training depends on."""
    return {package: metadata.version(package) for package in _PACKAGES}


def sample(annotations: Sequence[Annotation], limit: int, *, seed: int) -> List[Annotation]:
    """Return at most so many annotations, drawn at random, in their order; 0 for all."""
    if not limit or len(annotations) <= limit:
        return list(annotations)
    return [annotations[index] for index in sorted(random.Random(seed).sample(range(len(annotations)), limit))]


class _DevScore:
    """Strict F1 on dev records, each decoded as annotation would decode it."""

    def __init__(self, lm: "CausalLM", gold: Sequence[Annotation], builders: Sequence[PromptBuilder], *, chat: bool,
                 max_batch_tokens: int) -> None:
        self._lm = lm
        self._gold = list(gold)
        self._builders = list(builders)
        self._chat = chat
        self._max_batch_tokens = max_batch_tokens
        self._warned = False

    def __call__(self, model: nn.Module) -> float:
        lm = replace(self._lm, model=model.get_base_model())
        found: List[List[Mention]] = [[] for _ in self._gold]
        failed: Dict[int, str] = {}
        for builder in self._builders:
            requests = [Request(builder.render(gold.text), gold.text) for gold in self._gold]
            for index, reply in self._open(lm, builder).generate(requests):
                found[index] += _mentions(reply, self._gold[index], builder)
                failed.update({index: reply.error} if reply.error is not None else {})
        if failed and not self._warned:
            self._warned = True
            logger.warning(Warnings.W303.format(count=len(failed), total=len(self._gold),
                                                why=next(iter(failed.values()))))
        counts = add_up(count_strict(gold, gold.with_mentions(mentions)) for gold, mentions in zip(self._gold, found))
        return micro(counts).f1

    def _open(self, lm: "CausalLM", builder: PromptBuilder) -> LanguageModel:
        from ..llm.decoding.free import FreeDecoder
        from ..llm.decoding.grounded import GroundedDecoder

        try:
            return GroundedDecoder(lm, codec=builder.codec, labels=builder.labels, chat=self._chat,
                                   max_batch_tokens=self._max_batch_tokens)
        except BionerError as error:
            # Some formats (offsets) and some model classes cannot be grounded; they are read from free text.
            logger.info("Dev is decoded freely: %s", error)
            return FreeDecoder(lm, chat=self._chat, max_batch_tokens=self._max_batch_tokens)


def _mentions(reply: Reply, gold: Annotation, builder: PromptBuilder) -> Sequence[Mention]:
    if reply.mentions is not None:
        return reply.mentions
    return builder.codec.decode(gold.text, list(builder.labels), reply.text,
                                truncated=reply.finish_reason == "length").mentions
