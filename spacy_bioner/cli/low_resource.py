"""The verb low-resource: with few gold sentences, does it pay to generate, to augment, or neither?

Each part is a verb of its own, run one after the other; a part that is finished is not run again.
"""

import random
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import typer
from pydantic import Field

from ..errors import BionerError, Errors
from ..experiments.running import run_plan
from ..experiments.steps import Plan, Step
from ..files import write_json, write_json_lines
from .settings import Settings, load_settings, read_overrides

METHODS = ("gold", "lsms", "llm-da", "genllm")
_QUICK = {"sizes": [5, 50], "seeds": [0], "full_test_sizes": []}


class LowResourceSettings(Settings):
    """Section [low_resource]; `configs/embedded/low_resource.cfg` says what each key means."""

    sizes: List[int]
    methods: List[str] = list(METHODS)
    variants: List[str] = ["simple"]
    seeds: List[int] = [0, 1, 2]
    sentences: int = Field(1000, ge=1)
    test_sample: int = Field(1000, ge=1)
    full_test_sizes: List[int] = []
    updates: int = Field(0, ge=0)
    gold_seed: int = 42
    targets: Dict[str, Dict[str, Dict[str, int]]]


def low_resource_cli(
    ctx: typer.Context,
    corpus: Path = typer.Argument(..., help="Folder with train, dev and test as sentences, as prepare makes it."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder of the experiment."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    generator: Optional[Path] = typer.Option(None, help="Adapter of teach-generator, taught without these labels."),
    profile: Path = typer.Option(Path("configs/embedded"), help="Folder of the configs."),
    quick: bool = typer.Option(False, "--quick", help="Dictionaries of 5 and 50, one seed."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help="GPU, -1 for the CPU."),
) -> None:
    """Compare gold alone, simple changes, rewriting and generated sentences over sizes of the dictionary."""
    from .schema import read_schema

    overrides = read_overrides(ctx.args)
    if quick:
        overrides = {**{f"low_resource.{key}": value for key, value in _QUICK.items()}, **overrides}
    settings = load_settings(profile / "low_resource.cfg", "low_resource", LowResourceSettings, overrides)
    unknown = [method for method in settings.methods if method not in METHODS]
    if unknown:
        raise BionerError(Errors.E417.format(name=unknown[0], known=", ".join(METHODS)))
    card = fix_data(corpus, output, settings, name=read_schema(labels).corpus)
    write_json(output / "card.json", {"settings": settings.model_dump(), "gold": card})
    trials = LowResourceSteps(settings, corpus=corpus, output=output, labels=labels, profile=profile,
                              generator=generator, gpu_id=gpu_id)
    run_plan(Plan(trials.steps(), cache=output / "cache"), output)
    print(f"metrics of {len(settings.sizes)} sizes -> {output / 'metrics'}; show them with `spacy-bioner report`",
          file=sys.stderr)


def fix_data(corpus: Path, output: Path, settings: LowResourceSettings, *, name: str) -> Dict[str, Any]:
    """Write dictionary, gold subset and test sample of each size, before anything is trained.

    corpus (Path): Folder with train and test.
    output (Path): Folder of the experiment.
    settings (LowResourceSettings): Sizes and mention counts.
    name (str): Name of the corpus, as its schema says it.
    RETURNS (Dict[str, Any]): Size to sentences and mentions of its gold subset, beside what was wanted.
    RAISES BionerError: E421 for a size without mention counts.
    """
    from ..formats.jsonl import read_jsonl
    from ..synthesis.low_resource import choose_gold, count_labels
    from ..synthesis.seeds import collect_seeds

    train, test = list(read_jsonl(corpus / "train.jsonl")), list(read_jsonl(corpus / "test.jsonl"))
    sample = random.Random(settings.gold_seed).sample(test, min(settings.test_sample, len(test)))
    write_json_lines(output / "test-sample.jsonl", (sentence.to_record() for sentence in sample))
    card: Dict[str, Any] = {}
    for size in settings.sizes:
        targets = settings.targets.get(name, {}).get(str(size))
        if targets is None:
            raise BionerError(Errors.E421.format(corpus=name, size=size))
        seeds = collect_seeds(train, per_label=size).seeds
        gold = choose_gold(train, seeds, targets, seed=settings.gold_seed)
        write_json_lines(output / f"{size}" / "seeds.jsonl", (seed.to_record() for seed in seeds))
        write_json_lines(output / f"{size}" / "gold.jsonl", (sentence.to_record() for sentence in gold))
        card[str(size)] = {"sentences": len(gold), "mentions": count_labels(gold), "wanted": targets}
    return card


class LowResourceSteps:
    """The parts of the experiment, in order.

    settings (LowResourceSettings): Sizes, methods, variants and seeds.
    corpus (Path): Folder with train, dev and test.
    output (Path): Folder of the experiment.
    labels (Path): Label schema.
    profile (Path): Folder of the configs.
    generator (Optional[Path]): Adapter of the generator.
    gpu_id (int): GPU, or -1 for the CPU.
    """

    def __init__(self, settings: LowResourceSettings, *, corpus: Path, output: Path, labels: Path, profile: Path,
                 generator: Optional[Path] = None, gpu_id: int = -1) -> None:
        self.settings = settings
        self.corpus = corpus
        self.output = output
        self.labels = labels
        self.profile = profile
        self.generator = ["--generator", str(generator)] if generator is not None else []
        self.gpu = ["--gpu-id", str(gpu_id)]

    def steps(self) -> List[Step]:
        """RETURNS (List[Step]): Data, trainings and scores, size by size."""
        steps: List[Step] = []
        for size in self.settings.sizes:
            systems = self._systems(size)
            steps += [step for _, step, _ in systems if step is not None]
            trained: List[str] = []
            for name, step, strategy in systems:
                for seed in self.settings.seeds:
                    steps.append(self._train(size, name, strategy, step, seed))
                    trained.append(f"{name}@{seed}={steps[-1].output / 'model-best'}")
            steps.append(self._evaluate(size, trained, self.output / "test-sample.jsonl", f"{size}"))
            if size in self.settings.full_test_sizes:
                steps.append(self._evaluate(size, trained, self.corpus / "test.jsonl", f"{size}-whole-test"))
        return steps

    def _systems(self, size: int) -> "List[tuple[str, Optional[Step], str]]":
        """RETURNS (List[Tuple[str, Optional[Step], str]]): Name, the step that makes its data, its strategy."""
        systems: "List[tuple[str, Optional[Step], str]]" = []
        for method in self.settings.methods:
            if method == "gold":
                systems.append((method, None, "gold"))
            elif method == "genllm":
                systems += [(f"genllm-{variant}", self._synthesize(size, variant), "pretrain_finetune")
                            for variant in self.settings.variants]
            else:
                systems.append((method, self._augment(size, method), "S2"))
        return systems

    def _shared(self) -> List[str]:
        held_out = [part for split in ("dev", "test") for part in ("--held-out", str(self.corpus / f"{split}.jsonl"))]
        return ["--labels", str(self.labels), "--config", str(self.profile / "synthesize.cfg"), *held_out,
                "--synthesize.cache", str(self.output / "cache" / "replies.sqlite"), *self.gpu]

    def _synthesize(self, size: int, variant: str) -> Step:
        output = self.output / f"{size}" / f"genllm-{variant}.jsonl"
        thoughts = ["--synthesize.decoding", "free"] if variant == "chain_of_thought" else []
        return self._step(output, "synthesize", str(output.with_name("seeds.jsonl")), str(output), "--prompt.variant",
                          variant, "--n", str(self.settings.sentences), "--report",
                          str(output.with_suffix(".report.json")), *thoughts, *self.generator, *self._shared())

    def _augment(self, size: int, method: str) -> Step:
        output = self.output / f"{size}" / f"{method}.jsonl"
        generator = self.generator if method == "llm-da" else []
        return self._step(output, "augment", str(output.with_name("gold.jsonl")), str(output), "--method", method,
                          "--report", str(output.with_suffix(".report.json")), *generator, *self._shared())

    def _train(self, size: int, name: str, strategy: str, data: Optional[Step], seed: int) -> Step:
        folder = self.output / f"{size}" / "training" / f"{name}-{seed}"
        synthetic = ["--synthetic", str(data.output)] if data is not None else []
        return self._step(folder, "train", str(folder), "--config", str(self.profile / "spancat_en.cfg"),
                          "--strategies", str(self.profile / "strategies.cfg"), "--strategy", strategy, "--gold",
                          str(self.output / f"{size}" / "gold.jsonl"), *synthetic, "--dev",
                          str(self.corpus / "dev.jsonl"), "--held-out", str(self.corpus / "test.jsonl"), "--updates",
                          str(self.settings.updates), "--seed", str(seed), *self.gpu)

    def _evaluate(self, size: int, trained: Sequence[str], test: Path, name: str) -> Step:
        output = self.output / "metrics" / f"{name}.json"
        return self._step(output, "evaluate", str(test), *trained, "--output", str(output), "--train",
                          str(self.output / f"{size}" / "gold.jsonl"), *self.gpu)

    def _step(self, output: Path, *arguments: str) -> Step:
        """RETURNS (Step): A step, named after what it makes."""
        return Step("-".join(output.relative_to(self.output).parts), arguments, output)
