"""What a low-resource experiment is made from: dictionaries, gold subsets and samples, fixed before any training."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Sequence

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..files import write_json_lines
from .low_resource_settings import LowResourceSettings
from .low_resource_summary import CURVE, HIGH


def fix_data(corpus: Path, output: Path, settings: LowResourceSettings, *, name: str,
             curve: bool = False) -> Dict[str, Any]:
    """Write dictionary and gold subset of each size, and the samples of dev and test.

    corpus (Path): Folder with train, dev and test.
    output (Path): Folder of the experiment.
    settings (LowResourceSettings): Sizes and mention counts.
    name (str): Name of the corpus, as its schema says it.
    curve (bool): Whether the names and the gold sentences of the curve are written too.
    RETURNS (Dict[str, Any]): Size to sentences and mentions of its gold subset, beside what was wanted.
    RAISES BionerError: E431 for a size without mention counts, where there is no rule for others.
    """
    from ..corpus.sampling import draw_sample
    from ..formats.jsonl import read_jsonl
    from ..synthesis.low_resource import choose_gold, count_labels
    from ..synthesis.seeds import collect_seeds

    train, dev, test = (list(read_jsonl(corpus / f"{split}.jsonl")) for split in ("train", "dev", "test"))
    sample = random.Random(settings.gold_seed).sample(test, min(settings.test_sample, len(test)))
    _write(output / "test-sample.jsonl", sample)
    _write(output / "dev-sample.jsonl", draw_sample(dev, settings.dev_sample or len(dev), seed=settings.gold_seed))
    card: Dict[str, Any] = {}
    gold: List[Annotation] = []
    for size in sorted(settings.sizes):
        seeds = collect_seeds(train, per_label=size).seeds
        targets = choose_targets(settings, seeds, name=name, size=size)
        gold = choose_gold(train, seeds, targets, seed=settings.gold_seed, smaller=gold)
        write_json_lines(output / f"{size}" / "seeds.jsonl", (seed.to_record() for seed in seeds))
        _write(output / f"{size}" / "gold.jsonl", gold)
        card[str(size)] = {"sentences": len(gold), "mentions": count_labels(gold), "wanted": targets}
    if curve:
        names = collect_seeds(train, per_label=settings.curve.names).seeds
        write_json_lines(output / CURVE / "seeds.jsonl", (seed.to_record() for seed in names))
        for count in settings.curve.gold_sizes:
            _write(output / CURVE / f"gold-{count}.jsonl", draw_sample(train, count, seed=settings.gold_seed))
    return card


def choose_targets(settings: LowResourceSettings, seeds: Sequence[Any], *, name: str, size: int) -> Dict[str, int]:
    """Say how many mentions the gold subset of a size may hold.

    settings (LowResourceSettings): Mention counts by corpus, and the rule for other corpora and sizes.
    seeds (Sequence[Seed]): The dictionary.
    name (str): Name of the corpus.
    size (int): Names of each label, where there are so many.
    RETURNS (Dict[str, int]): Label to mentions.
    RAISES BionerError: E431 where there are no counts and no rule.
    """
    targets = settings.targets.get(name, {}).get(str(size))
    if targets is not None:
        return targets
    if not settings.mentions_per_name:
        raise BionerError(Errors.E431.format(corpus=name, size=size))
    names = Counter(seed.label for seed in seeds)
    return {label: round(settings.mentions_per_name * count) for label, count in sorted(names.items())}


def join_generated(output: Path, settings: LowResourceSettings) -> int:
    """Join the generated sentences of all sizes, for the trainings on all of train.

    output (Path): Folder of the experiment, with the sentences of each size for which there are any.
    settings (LowResourceSettings): Sizes and variants, of which the first is taken.
    RETURNS (int): How many there are. The size stands before each id, since ids come again in every size.
    """
    from ..formats.jsonl import read_jsonl

    name = f"{settings.variants[0].name}.jsonl"
    made = {size: output / f"{size}" / name for size in settings.sizes}
    sentences = (replace(sentence, id=f"{size}-{sentence.id}") for size, path in made.items() if path.is_file()
                 for sentence in read_jsonl(path))
    return write_json_lines(output / HIGH / name, (sentence.to_record() for sentence in sentences))


def _write(path: Path, sentences: List[Annotation]) -> None:
    write_json_lines(path, (sentence.to_record() for sentence in sentences))
