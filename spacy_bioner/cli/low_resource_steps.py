"""The parts of the verb low-resource in order: each is a verb of its own."""

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ..experiments.steps import Step
from .low_resource_settings import GENERATED, LowResourceSettings, Variant
from .low_resource_summary import CURVE, HIGH, SYNTHETIC, WHOLE
from .report import read_card
from .train.spancat import is_empty

_ENCODER = "components.bioner_spancat.model.tok2vec.name"


class System(NamedTuple):
    """A row of the tables.

    name (str): How it is called.
    strategy (str): How what it is trained on follows each other.
    data (Optional[Path]): Generated or changed sentences.
    made (Optional[Step]): The step that makes them.
    """

    name: str
    strategy: str
    data: Optional[Path] = None
    made: Optional[Step] = None

    @property
    def has_failed(self) -> bool:
        """RETURNS (bool): Whether its sentences were asked for and none was made; then it would be gold alone."""
        return self.data is not None and (is_empty(self.data) or self.made is not None and has_given_up(self.made))


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
    curve (bool): Whether the curve of gold sentences against generated ones is among them.
    """

    def __init__(self, settings: LowResourceSettings, *, corpus: Path, output: Path, labels: Path, profile: Path,
                 lang: str = "en", generator: Optional[Path] = None, gpu_id: int = -1, curve: bool = False) -> None:
        self.settings = settings
        self.corpus = corpus
        self.output = output
        self.labels = labels
        self.profile = profile
        self.spancat = profile / f"spancat_{lang}.cfg"
        self.cache = output / "cache"
        self.generator = ["--generator", str(generator)] if generator is not None else []
        self.gpu = ["--gpu-id", str(gpu_id)]
        self.curve = curve

    def steps(self) -> List[Step]:
        """List the parts.

        RETURNS (List[Step]): Data, trainings and scores, size by size; what has failed is not trained on.
        """
        made = [step for step in self.data_steps() if step.output.exists() or not has_given_up(step)]
        steps = [*made, *(step for size in self.settings.sizes for step in self._size_steps(size))]
        if self.settings.high_resource is not None:
            steps += self._high_steps()
        return steps + self._curve_steps() if self.curve else steps

    def data_steps(self) -> List[Step]:
        """RETURNS (List[Step]): The parts that make sentences; they come before `steps` can say what has failed."""
        return [system.made for systems in self._parts().values() for system in systems if system.made is not None]

    def failed(self) -> Dict[str, List[str]]:
        """RETURNS (Dict[str, List[str]]): Name of a part to the rows for which no sentence was made."""
        failed = {part: [system.name for system in systems if system.has_failed]
                  for part, systems in self._parts().items()}
        whole = {f"{size}{WHOLE}": [name for name in failed[str(size)] if self.settings.is_whole(name)]
                 for size in self.settings.whole_sizes}
        return {**failed, **whole}

    def reports(self) -> Dict[str, Path]:
        """RETURNS (Dict[str, Path]): Part and row to the report of the sentences that are made for it."""
        return {f"{part} {system.name}": report for part, systems in self._parts().items() for system in systems
                if system.made is not None for report in system.made.beside}

    def _parts(self) -> Dict[str, List[System]]:
        parts = {str(size): self._systems(self.output / f"{size}") for size in self.settings.sizes}
        if self.settings.high_resource is not None:
            parts[HIGH] = self._high_systems()
        return {**parts, CURVE: self._curve_systems()} if self.curve else parts

    def _size_steps(self, size: int) -> List[Step]:
        folder, settings = self.output / f"{size}", self.settings
        trained = {system.name: self._train_all(folder, system, "--updates", settings.updates, seeds=settings.seeds,
                                                gold=folder / "gold.jsonl")
                   for system in self._systems(folder) if not system.has_failed}
        steps = [step for runs in trained.values() for step in runs.values()]
        steps.append(self._evaluate(f"{size}", trained, self.output / "test-sample.jsonl", folder / "gold.jsonl"))
        whole = {name: runs for name, runs in trained.items() if settings.is_whole(name)}
        if size in settings.whole_sizes and whole:
            steps.append(self._evaluate(f"{size}{WHOLE}", whole, self.corpus / "test.jsonl",
                                        folder / "gold.jsonl"))
        return steps

    def _high_steps(self) -> List[Step]:
        chosen, folder, train = self.settings.high_resource, self.output / HIGH, self.corpus / "train.jsonl"
        trained = {}
        for system in self._high_systems():
            epochs = chosen.epochs[GENERATED if system.name.startswith(f"{GENERATED}-") else system.name]
            if not system.has_failed:
                trained[system.name] = self._train_all(folder, system, "--epochs", epochs, seeds=chosen.seeds,
                                                       gold=train)
        return [*(step for runs in trained.values() for step in runs.values()),
                self._evaluate(HIGH, trained, self.corpus / "test.jsonl", train)]

    def _curve_steps(self) -> List[Step]:
        folder, settings = self.output / CURVE, self.settings
        updates = settings.curve.updates or settings.updates
        trained = {system.name: self._train_all(folder, system, "--updates", updates, seeds=settings.seeds)
                   for system in self._curve_systems() if not system.has_failed}
        for count in settings.curve.gold_sizes:
            name = f"gold-{count}"
            trained[name] = self._train_all(folder, System(name, "gold"), "--updates", updates, seeds=settings.seeds,
                                            gold=folder / f"{name}.jsonl")
        return [*(step for runs in trained.values() for step in runs.values()),
                self._evaluate(CURVE, trained, self.output / "test-sample.jsonl")]

    def _systems(self, folder: Path) -> List[System]:
        systems: List[System] = []
        for method in self.settings.methods:
            if method == GENERATED:
                for variant in self.settings.variants:
                    made = self._synthesize(folder, variant.name, variant, self.settings.sentences)
                    systems.append(System(variant.name, self.settings.strategy, made.output, made))
            elif method == "gold" or method in self.settings.encoders:
                systems.append(System(method, "gold"))
            else:
                made = self._augment(folder, method, folder / "gold.jsonl",
                                     copies=self.settings.rewrites if method == "llm-da" else None)
                systems.append(System(method, "S2", made.output, made))
        return systems

    def _high_systems(self) -> List[System]:
        chosen, folder, systems = self.settings.high_resource, self.output / HIGH, []
        for method in chosen.methods:
            if method == GENERATED:
                name = self.settings.variants[0].name
                systems.append(System(name, chosen.strategy, folder / f"{name}.jsonl"))
            elif method == "gold" or method in self.settings.encoders:
                systems.append(System(method, "gold"))
            else:
                made = self._augment(folder, method, self.corpus / "train.jsonl", copies=chosen.copies)
                systems.append(System(method, "S2", made.output, made))
        return systems

    def _curve_systems(self) -> List[System]:
        made = self._synthesize(self.output / CURVE, SYNTHETIC, Variant(variant="simple"),
                                self.settings.curve.sentences)
        return [System(SYNTHETIC, "synthetic", made.output, made)]

    def _shared(self) -> List[str]:
        held_out = [part for split in ("dev", "test") for part in ("--held-out", str(self.corpus / f"{split}.jsonl"))]
        return ["--labels", str(self.labels), "--config", str(self.profile / "synthesize.cfg"), *held_out,
                "--synthesize.cache", str(self.cache / "replies.sqlite"), *self.gpu]

    def _synthesize(self, folder: Path, name: str, variant: Variant, count: int) -> Step:
        output = folder / f"{name}.jsonl"
        report = output.with_suffix(".report.json")
        # A step that runs again has other names or settings: what the plan of the earlier run says holds no more.
        return self._step(output, "generate", "sentences", str(folder / "seeds.jsonl"), str(output), "--n", str(count),
                          "--overwrite", "--report", str(report), *self.generator, *self._shared(),
                          *spell_overrides(variant.overrides()), beside=(report,))

    def _augment(self, folder: Path, method: str, gold: Path, *, copies: Optional[int]) -> Step:
        output = folder / f"{method}.jsonl"
        report = output.with_suffix(".report.json")
        asked = self.generator if method == "llm-da" else []
        number = ["--augment.copies", str(copies)] if copies is not None else []
        return self._step(output, "generate", "variants", str(gold), str(output), "--method", method, "--report",
                          str(report), *number, *asked, *self._shared(), beside=(report,))

    def _train_all(self, folder: Path, system: System, measure: str, amount: int, *, seeds: List[int],
                   gold: Optional[Path] = None) -> Dict[int, Step]:
        """RETURNS (Dict[int, Step]): A training for each seed; measure and amount say how long it is."""
        data = ["--synthetic", str(system.data)] if system.data is not None else []
        chosen = dict(self.settings.training)
        if system.name in self.settings.encoders:
            chosen[_ENCODER] = self.settings.encoders[system.name]
        steps = {}
        for seed in seeds:
            place = folder / "training" / f"{system.name}-{seed}"
            steps[seed] = self._step(
                place, "train", "spancat", str(gold or "-"), str(place), "--config", str(self.spancat), "--strategies",
                str(self.profile / "strategies.cfg"), "--strategy", system.strategy, *data, "--dev",
                str(self.output / "dev-sample.jsonl"), "--held-out", str(self.corpus / "dev.jsonl"), "--held-out",
                str(self.corpus / "test.jsonl"), measure, str(amount), "--evaluations",
                str(self.settings.evaluations), "--seed", str(seed), *self.gpu, *spell_overrides(chosen))
        return steps

    def _evaluate(self, name: str, trained: Mapping[str, Mapping[int, Step]], test: Path,
                  train: Optional[Path] = None) -> Step:
        output = self.output / "metrics" / f"{name}.json"
        systems = [f"{method}@{seed}={step.output / 'model-best'}" for method, runs in trained.items()
                   for seed, step in runs.items()]
        known = ["--train", str(train)] if train is not None else []
        return self._step(output, "evaluate", str(test), *systems, "--output", str(output), *known,
                          "--resamples", str(self.settings.resamples), *self.gpu)

    def _step(self, output: Path, *arguments: str, beside: Tuple[Path, ...] = ()) -> Step:
        """RETURNS (Step): A step, named after what it makes."""
        return Step("-".join(output.relative_to(self.output).parts), arguments, output, beside=beside)


def has_given_up(step: Step) -> bool:
    """RETURNS (bool): Whether a step that makes sentences has ended with an error and reports that there is none."""
    reports = [read_card(path) for path in step.beside if path.is_file()]
    return any("error" in report and report.get("accepted", report.get("made")) == 0 for report in reports)


def spell_overrides(overrides: Mapping[str, Any]) -> List[str]:
    """RETURNS (List[str]): Overrides as a command line has them: words as they are, everything else as JSON."""
    return [part for key, value in overrides.items()
            for part in (f"--{key}", value if isinstance(value, str) else json.dumps(value))]
