"""The settings of the verb low-resource, and its parts in order: each is a verb of its own."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from pydantic import Field

from ..experiments.steps import Step
from .low_resource_summary import CURVE, SYNTHETIC
from .settings import Settings

METHODS = ("gold", "lsms", "llm-da", "genllm")
_ENCODER = "components.bioner_spancat.model.tok2vec.name"
System = Tuple[str, Optional[Step], str]


class CurveSettings(Settings):
    """Section [low_resource.curve].

    names (int): Most frequent names of each label that sentences are generated from.
    sentences (int): Sentences to generate.
    gold_sizes (List[int]): Numbers of gold sentences, drawn at random, a smaller one part of a larger.
    """

    names: int = Field(10, ge=1)
    sentences: int = Field(1000, ge=1)
    gold_sizes: List[int] = [50, 100, 200, 300, 500]


class LowResourceSettings(Settings):
    """Section [low_resource]; `configs/embedded/low_resource.cfg` says what each key means."""

    sizes: List[int]
    methods: List[str] = list(METHODS)
    variants: List[str] = ["simple"]
    seeds: List[int] = [0, 1, 2]
    gold_seed: int = 42
    sentences: int = Field(1000, ge=1)
    rewrites: int = Field(4, ge=1)
    strategy: str = "pretrain_finetune"
    updates: int = Field(0, ge=0)
    evaluations: int = Field(8, ge=1)
    training: Dict[str, Any] = {}
    encoders: Dict[str, str] = {}
    test_sample: int = Field(1000, ge=1)
    dev_sample: int = Field(0, ge=0)
    full_test_sizes: List[int] = []
    full_test_methods: List[str] = list(METHODS)
    resamples: int = Field(10_000, ge=1)
    published: Optional[Path] = None
    targets: Dict[str, Dict[str, Dict[str, int]]]
    curve: CurveSettings = CurveSettings()
    quick: Dict[str, Any] = {}

    @property
    def whole_sizes(self) -> List[int]:
        """RETURNS (List[int]): The sizes of this run that are scored on the whole test part too."""
        return [size for size in self.sizes if size in self.full_test_sizes]


class LowResourceSteps:
    """The parts of the experiment.

    settings (LowResourceSettings): Sizes, methods, variants and seeds.
    corpus (Path): Folder with train, dev and test.
    output (Path): Folder of the experiment.
    labels (Path): Label schema.
    profile (Path): Folder of the configs.
    lang (str): Language of the texts, which chooses the config of the span categorizer.
    generator (Optional[Path]): Adapter of the generator.
    gpu_id (int): GPU, or -1 for the CPU.
    """

    def __init__(self, settings: LowResourceSettings, *, corpus: Path, output: Path, labels: Path,
                 profile: Path, lang: str = "en", generator: Optional[Path] = None, gpu_id: int = -1) -> None:
        self.settings = settings
        self.corpus = corpus
        self.output = output
        self.labels = labels
        self.profile = profile
        self.spancat = profile / f"spancat_{lang}.cfg"
        self.cache = output / "cache"
        self.generator = ["--generator", str(generator)] if generator is not None else []
        self.gpu = ["--gpu-id", str(gpu_id)]

    def steps(self, *, curve: bool = False) -> List[Step]:
        """List the parts.

        curve (bool): Whether the curve of gold sentences against generated ones is among them.
        RETURNS (List[Step]): Data, trainings and scores, size by size.
        """
        steps = [step for size in self.settings.sizes for step in self._size_steps(size)]
        return steps + self._curve_steps() if curve else steps

    def _size_steps(self, size: int) -> List[Step]:
        folder = self.output / f"{size}"
        systems = self._systems(folder)
        trained = {name: self._train_all(folder, name, strategy, gold=folder / "gold.jsonl", synthetic=made)
                   for name, made, strategy in systems}
        steps = [made for _, made, _ in systems if made is not None]
        steps += [step for runs in trained.values() for step in runs.values()]
        steps.append(self._evaluate(f"{size}", trained, self.output / "test-sample.jsonl", folder / "gold.jsonl"))
        if size in self.settings.whole_sizes:
            chosen = {name: runs for name, runs in trained.items()
                      if any(name.startswith(method) for method in self.settings.full_test_methods)}
            steps.append(self._evaluate(f"{size}-whole-test", chosen, self.corpus / "test.jsonl",
                                        folder / "gold.jsonl"))
        return steps

    def _curve_steps(self) -> List[Step]:
        folder, chosen = self.output / CURVE, self.settings.curve
        made = self._synthesize(folder, SYNTHETIC, "simple", chosen.sentences)
        trained = {SYNTHETIC: self._train_all(folder, SYNTHETIC, "synthetic", synthetic=made)}
        for count in chosen.gold_sizes:
            name = f"gold-{count}"
            trained[name] = self._train_all(folder, name, "gold", gold=folder / f"{name}.jsonl")
        return [made, *(step for runs in trained.values() for step in runs.values()),
                self._evaluate(CURVE, trained, self.output / "test-sample.jsonl")]

    def _systems(self, folder: Path) -> List[System]:
        """RETURNS (List[System]): Name, the step that makes its data, its strategy."""
        systems: List[System] = []
        for method in self.settings.methods:
            if method == "gold" or method in self.settings.encoders:
                systems.append((method, None, "gold"))
            elif method == "genllm":
                systems += [(f"genllm-{variant}", self._synthesize(folder, f"genllm-{variant}", variant,
                                                                   self.settings.sentences), self.settings.strategy)
                            for variant in self.settings.variants]
            else:
                systems.append((method, self._augment(folder, method), "S2"))
        return systems

    def _shared(self) -> List[str]:
        held_out = [part for split in ("dev", "test") for part in ("--held-out", str(self.corpus / f"{split}.jsonl"))]
        return ["--labels", str(self.labels), "--config", str(self.profile / "synthesize.cfg"), *held_out,
                "--synthesize.cache", str(self.cache / "replies.sqlite"), *self.gpu]

    def _synthesize(self, folder: Path, name: str, variant: str, count: int) -> Step:
        output = folder / f"{name}.jsonl"
        thoughts = ["--synthesize.decoding", "free"] if variant == "chain_of_thought" else []
        return self._step(output, "synthesize", str(folder / "seeds.jsonl"), str(output), "--prompt.variant", variant,
                          "--n", str(count), "--report", str(output.with_suffix(".report.json")), *thoughts,
                          *self.generator, *self._shared())

    def _augment(self, folder: Path, method: str) -> Step:
        output = folder / f"{method}.jsonl"
        asked = ["--augment.copies", str(self.settings.rewrites), *self.generator] if method == "llm-da" else []
        return self._step(output, "augment", str(folder / "gold.jsonl"), str(output), "--method", method, "--report",
                          str(output.with_suffix(".report.json")), *asked, *self._shared())

    def _train_all(self, folder: Path, name: str, strategy: str, *, gold: Optional[Path] = None,
                   synthetic: Optional[Step] = None) -> Dict[int, Step]:
        """RETURNS (Dict[int, Step]): A training for each seed."""
        given = [("--gold", gold), ("--synthetic", synthetic.output if synthetic is not None else None)]
        data = [part for option, path in given if path is not None for part in (option, str(path))]
        chosen = dict(self.settings.training)
        if name in self.settings.encoders:
            chosen[_ENCODER] = self.settings.encoders[name]
        options = [part for key, value in chosen.items() for part in (f"--{key}", str(value))]
        steps = {}
        for seed in self.settings.seeds:
            place = folder / "training" / f"{name}-{seed}"
            steps[seed] = self._step(
                place, "train", str(place), "--config", str(self.spancat), "--strategies",
                str(self.profile / "strategies.cfg"), "--strategy", strategy, *data, "--dev",
                str(self.output / "dev-sample.jsonl"), "--held-out", str(self.corpus / "dev.jsonl"), "--held-out",
                str(self.corpus / "test.jsonl"), "--updates", str(self.settings.updates), "--evaluations",
                str(self.settings.evaluations), "--seed", str(seed), *self.gpu, *options)
        return steps

    def _evaluate(self, name: str, trained: Mapping[str, Mapping[int, Step]], test: Path,
                  train: Optional[Path] = None) -> Step:
        output = self.output / "metrics" / f"{name}.json"
        systems = [f"{method}@{seed}={step.output / 'model-best'}" for method, runs in trained.items()
                   for seed, step in runs.items()]
        known = ["--train", str(train)] if train is not None else []
        return self._step(output, "evaluate", str(test), *systems, "--output", str(output), *known,
                          "--resamples", str(self.settings.resamples), *self.gpu)

    def _step(self, output: Path, *arguments: str) -> Step:
        """RETURNS (Step): A step, named after what it makes."""
        return Step("-".join(output.relative_to(self.output).parts), arguments, output)
