"""The settings of the verb low-resource: section [low_resource] of its config."""

from pathlib import Path
from typing import Any, Dict, List, Optional

from pydantic import Field, PositiveInt, model_validator

from ..errors import BionerError, Errors
from ._shared.settings import Settings, load_settings

METHODS = ("gold", "lsms", "llm-da", "genllm")
GENERATED = "genllm"
THOUGHTS = "chain_of_thought"


class Variant(Settings):
    """How sentences are asked for; a plain word is a variant of the prompt.

    variant (str): Variant of the prompt.
    mode (Optional[str]): What becomes of sentences that are not in order; None takes the mode of the config.
    options (Dict[str, Any]): Further settings of `synthesize`, by dotted key.
    """

    variant: str
    mode: Optional[str] = None
    options: Dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_word(cls, value: Any) -> Any:
        return {"variant": value} if isinstance(value, str) else value

    @property
    def name(self) -> str:
        """RETURNS (str): What its row is called."""
        return "-".join([GENERATED, self.variant, *([self.mode] if self.mode else [])])

    def overrides(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): Settings of `synthesize`; thoughts cannot be written by grounded decoding."""
        free = {"synthesize.decoding": "free"} if self.variant == THOUGHTS else {}
        mode = {"synthesize.mode": self.mode} if self.mode else {}
        return {"prompt.variant": self.variant, **free, **mode, **self.options}


class CurveSettings(Settings):
    """Section [low_resource.curve].

    names (int): Most frequent names of each label that sentences are generated from.
    sentences (int): Sentences to generate.
    gold_sizes (List[int]): Numbers of gold sentences, drawn at random, a smaller one part of a larger.
    updates (int): Updates of each training of the curve; 0 takes those of [low_resource].
    """

    names: int = Field(10, ge=1)
    sentences: int = Field(1000, ge=1)
    gold_sizes: List[PositiveInt] = [50, 100, 200, 300, 500]
    updates: int = Field(0, ge=0)


class HighResourceSettings(Settings):
    """Section [low_resource.high_resource]: all of train as gold.

    methods (List[str]): As of [low_resource]; of generated sentences the first variant.
    seeds (List[int]): Of the trainings.
    epochs (Dict[str, int]): Method to the updates of its training, as passes over gold.
    strategy (str): How generated sentences and gold follow each other.
    copies (int): Changed sentences to make of each gold one by lsms, and by each level of llm-da.
    """

    methods: List[str]
    seeds: List[int] = [0, 1, 2]
    epochs: Dict[str, PositiveInt]
    strategy: str = "pretrain_once"
    copies: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _has_epochs(self) -> "HighResourceSettings":
        without = [method for method in self.methods if method not in self.epochs]
        if without:
            raise ValueError(f"epochs has no number for {', '.join(without)}")
        return self


class LowResourceSettings(Settings):
    """Section [low_resource]; `configs/embedded/low_resource.cfg` says what each key means."""

    sizes: List[PositiveInt] = Field(min_length=1)
    methods: List[str] = Field(list(METHODS), min_length=1)
    variants: List[Variant] = Field([Variant(variant="simple")], min_length=1)
    seeds: List[int] = Field([0, 1, 2], min_length=1)
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
    full_test_sizes: List[PositiveInt] = []
    full_test_methods: List[str] = list(METHODS)
    resamples: int = Field(10_000, ge=1)
    published: Optional[Path] = None
    mentions_per_name: float = Field(0.0, ge=0)
    targets: Dict[str, Dict[str, Dict[str, int]]] = {}
    curve: CurveSettings = CurveSettings()
    high_resource: Optional[HighResourceSettings] = None
    quick: Dict[str, Any] = {}

    @property
    def whole_sizes(self) -> List[int]:
        """RETURNS (List[int]): The sizes of this run that are scored on the whole test part too."""
        return [size for size in self.sizes if size in self.full_test_sizes]

    def is_whole(self, name: str) -> bool:
        """RETURNS (bool): Whether a row is scored on the whole test part too; a method stands for its variants."""
        return any(name == method or method == GENERATED and name.startswith(f"{GENERATED}-")
                   for method in self.full_test_methods)


def read_low_resource(path: Path, overrides: Dict[str, Any], *, quick: bool = False) -> LowResourceSettings:
    """Read the section [low_resource].

    path (Path): The config.
    overrides (Dict[str, Any]): Dotted key to value; they go before the quick values.
    quick (bool): Whether the values of [low_resource.quick] stand in the place of the others; then all of train as
        gold is not measured.
    RETURNS (LowResourceSettings): The settings.
    RAISES BionerError: E429, E724 and E725 for methods and sizes that there are not, E7xx for keys and values that
        cannot be.
    """
    plain = load_settings(path, "low_resource", LowResourceSettings, {})
    settings = load_settings(path, "low_resource", LowResourceSettings, overrides)
    if quick:
        values = {f"low_resource.{key}": value for key, value in settings.quick.items()}
        settings = load_settings(path, "low_resource", LowResourceSettings, {**values, **overrides})
        settings = settings.model_copy(update={"high_resource": None})
    _check_names(settings, sizes=sorted({*plain.sizes, *settings.sizes}))
    return settings


def _check_names(settings: LowResourceSettings, *, sizes: List[int]) -> None:
    known = [*METHODS, *settings.encoders]
    high = settings.high_resource.methods if settings.high_resource is not None else []
    for method in (*settings.methods, *high):
        if method not in known:
            raise BionerError(Errors.E429.format(name=method, known=", ".join(known)))
    if GENERATED in high and GENERATED not in settings.methods:
        raise BionerError(Errors.E725)
    rows = [*known, *(variant.name for variant in settings.variants)]
    for key, values, allowed in (("full_test_methods", settings.full_test_methods, rows),
                                 ("full_test_sizes", settings.full_test_sizes, sizes)):
        for value in values:
            if value not in allowed:
                raise BionerError(Errors.E724.format(key=key, name=value, known=", ".join(map(str, allowed))))
