"""Training a model to write sentences from seeds, through the code of fine-tuning."""

import random
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Set

from ..annotation import Annotation
from ..codecs import make_codec
from ..errors import BionerError, Errors
from ..finetuning.lora.lora_settings import LoraSettings, TrainingSettings
from ..finetuning.lora.trainer import Training, train_adapter
from ..finetuning.pairs import Pair, hash_pairs
from ..llm.adapter import AdapterCard
from ..llm.local.tokenization import encode_pieces, encode_prompt, end_id
from .generator_pairs import GeneratorPair, make_generator_pairs
from .seed_prompt import SeedPrompt


def choose_pairs(raw: Sequence[Annotation], gold: Sequence[Annotation], *, raw_pairs: int, gold_pairs: int,
                 stop_words: Set[str], max_seeds: int, seed: int) -> List[GeneratorPair]:
    """Choose what the generator is trained on: pairs from raw text, and pairs from gold sentences.

    raw (Sequence[Annotation]): Raw sentences; may be empty.
    gold (Sequence[Annotation]): Gold sentences of train; may be empty.
    raw_pairs (int): Most pairs from raw text, of sentences drawn at random.
    gold_pairs (int): Most pairs from gold; where there are fewer sentences, they come again with other seeds.
    stop_words (Set[str]): Function words of the language.
    max_seeds (int): Largest number of seeds in a sentence.
    seed (int): Random seed.
    RETURNS (List[GeneratorPair]): The pairs, gold ones last.
    RAISES BionerError: E409 where there is none.
    """
    chance = random.Random(seed)
    options: Dict[str, Any] = {"stop_words": stop_words, "max_seeds": max_seeds}
    chosen = make_generator_pairs(chance.sample(raw, len(raw)), seed=seed, limit=raw_pairs, **options)
    labelled = [sentence for sentence in chance.sample(gold, len(gold)) if sentence.mentions]
    taken: List[GeneratorPair] = []
    while labelled and len(taken) < gold_pairs:
        again = make_generator_pairs(labelled, seed=seed + len(taken), limit=gold_pairs - len(taken), **options)
        if not again:
            break
        taken.extend(again)
    chosen.extend(taken)
    if not chosen:
        raise BionerError(Errors.E409)
    return chosen


def encode_generator_pair(tokenizer: Any, pair: GeneratorPair, prompt: SeedPrompt, *, chat: bool = False) -> Pair:
    """Return prompt and answer as tokens; the answer is the tagged sentence in its wrapper."""
    pieces = make_codec("seed_tags").pieces(pair.annotation, sorted({seed.label for seed in pair.seeds}))
    answer = [*encode_pieces(tokenizer, pieces), end_id(tokenizer)]
    return Pair(tuple(encode_prompt(tokenizer, prompt.render(pair.seeds), chat=chat)), tuple(answer),
                name=pair.annotation.id)


def train_generator(pairs: Sequence[GeneratorPair], prompt: SeedPrompt, *, lm: Any, output: Path, lora: LoraSettings,
                    training: TrainingSettings, versions: Mapping[str, str], lang: str,
                    progress: Optional[Callable[[Mapping[str, float]], None]] = None,
                    overwrite: bool = False) -> Training:
    """Train the adapter of the generator.

    pairs (Sequence[GeneratorPair]): What is trained on.
    prompt (SeedPrompt): The prompt, which the generator will be asked with.
    lm (CausalLM): The base model.
    output (Path): Folder of the adapter.
    lora (LoraSettings): The adapter.
    training (TrainingSettings): The training.
    versions (Mapping[str, str]): Package versions for the card.
    lang (str): Language of the sentences.
    progress (Optional[Callable]): Called after each update.
    overwrite (bool): Whether the adapter of another training is replaced.
    RETURNS (Training): How it went.
    """
    encoded = [encode_generator_pair(lm.tokenizer, pair, prompt) for pair in pairs]

    def write_card(folder: Path, figures: Mapping[str, Any]) -> None:
        AdapterCard(base_model=lm.name, revision=str(lm.settings.get("revision") or ""),
                    shapes=lm.shapes, base_hash=lm.base_hash, codec=make_codec("seed_tags").settings(),
                    labels=dict(prompt.labels), lang=lang, template=prompt.template, template_source=prompt.source,
                    prompt=prompt.card_settings(), seed=training.seed,
                    versions=dict(versions), data_hash=hash_pairs(encoded), score=_scores(figures)).write(folder)

    return train_adapter(encoded, model=lm.model, output=output, write_card=write_card, base_model=lm.name,
                         lora=lora, training=training, progress=progress, depends_on={"model": dict(lm.identity())},
                         int8=lm.settings.get("dtype") == "int8", overwrite=overwrite)


def _scores(figures: Mapping[str, Any]) -> Dict[str, float]:
    return {key: figures[key] for key in ("updates", "tokens", "seconds") if figures.get(key) is not None}
