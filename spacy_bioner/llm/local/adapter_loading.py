"""Puts a LoRA adapter from a folder onto a model: its files are checked first, and only safetensors are read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Dict, List, Literal, Optional, Tuple, Union

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import BionerError, Errors, first_fault
from ...extras import extra
from ..adapter import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE, AdapterCard
from ..model_files import UnreadableFile, read_object, read_shapes

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_PICKLE = "adapter_model.bin"
# Up to this many parameters an adapter is merged in float32 and then rounded once; larger models merge as they are.
_MERGE_IN_FLOAT32 = 2_000_000_000

Rank = Annotated[int, Field(ge=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class AdapterConfig(BaseModel):
    """What is read of `adapter_config.json`, by the names of PEFT; what it says beside that would change nothing.

    Kinds of adapters that need more than these settings, or change the base model when they are put on, are refused.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    peft_type: Literal["LORA"]
    task_type: Optional[Literal["CAUSAL_LM"]] = None
    r: Rank
    lora_alpha: Finite
    target_modules: Union[str, List[str]]
    lora_dropout: Finite = 0.0
    bias: Literal["none", "all", "lora_only"] = "none"
    fan_in_fan_out: bool = False
    use_rslora: bool = False
    use_dora: bool = False
    init_lora_weights: Union[bool, Literal["gaussian", "orthogonal"]] = True
    rank_pattern: Dict[str, Rank] = {}
    alpha_pattern: Dict[str, Finite] = {}
    layers_to_transform: Union[int, List[int], None] = None
    layers_pattern: Union[str, List[str], None] = None
    exclude_modules: Union[str, List[str], None] = None
    modules_to_save: Optional[List[str]] = None
    megatron_config: None = None
    layer_replication: None = None
    target_parameters: None = None
    trainable_token_indices: None = None


def read_adapter_config(folder: Path) -> AdapterConfig:
    """Read the configuration of an adapter, and check its files.

    folder (Path): Folder of the adapter.
    RETURNS (AdapterConfig): The configuration; the weights are whole and of its rank.
    RAISES BionerError: E208 where there is no adapter, E232 where its files are not those of a LoRA adapter, E206 and
        E235 where its card cannot be read or has other sums of the files.
    """
    folder = Path(folder)
    if not (folder / CONFIG_FILE).is_file():
        raise BionerError(Errors.E208.format(path=folder))
    if (folder / CARD_FILE).is_file():
        AdapterCard.read(folder).check_files(folder)
    try:
        config = AdapterConfig.model_validate(read_object(folder / CONFIG_FILE))
        if (folder / _PICKLE).exists() and not (folder / WEIGHTS_FILE).exists():
            raise UnreadableFile(f"{_PICKLE} is a pickle, which can run code and is never read")
        _check_ranks(config, read_shapes(folder / WEIGHTS_FILE))
    except ValidationError as error:
        key, why = first_fault(error)
        raise BionerError(Errors.E232.format(path=folder, why=f"{key} in {CONFIG_FILE}: {why}")) from None
    except UnreadableFile as error:
        raise BionerError(Errors.E232.format(path=folder, why=error)) from None
    return config


def add_adapter(model: "PreTrainedModel", folder: Path, dtype: "torch.dtype", *, merge: bool) -> "PreTrainedModel":
    """Put a LoRA adapter onto a model.

    model (PreTrainedModel): The model; it is changed.
    folder (Path): Folder of the adapter.
    dtype (torch.dtype): Number type of the merged model.
    merge (bool): Whether it is merged into the weights, or kept beside them, as beside quantised ones.
    RETURNS (PreTrainedModel): The model with the adapter.
    RAISES BionerError: E207 where the adapter is another model's, E208 and E232 as `read_adapter_config`, E706 where
        peft is not installed.
    """
    config = read_adapter_config(folder)
    with extra("llm"):
        from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
    from safetensors.torch import load_file

    if merge and model.num_parameters() <= _MERGE_IN_FLOAT32:
        model = model.float()
    try:
        wrapped = get_peft_model(model, LoraConfig(**config.model_dump(exclude={"peft_type"}), inference_mode=True))
        fate = set_peft_model_state_dict(wrapped, load_file(folder / WEIGHTS_FILE))
    except (RuntimeError, ValueError) as error:
        # What torch says where shapes differ, and peft where the model has no modules of these names.
        name = f"{model.config.name_or_path}: {str(error).strip().splitlines()[0]}"
        raise BionerError(Errors.E207.format(what="base model", trained=folder, asked=name)) from None
    if fate.unexpected_keys:
        name = f"{model.config.name_or_path}, without {fate.unexpected_keys[0]}"
        raise BionerError(Errors.E207.format(what="base model", trained=folder, asked=name))
    missing = [name for name in fate.missing_keys if ".lora_" in name]
    if missing:
        why = f"{WEIGHTS_FILE} lacks {len(missing)} of its weights, such as {missing[0]}"
        raise BionerError(Errors.E232.format(path=folder, why=why))
    return wrapped.merge_and_unload().to(dtype) if merge else wrapped


def _check_ranks(config: AdapterConfig, shapes: Dict[str, Tuple[int, ...]]) -> None:
    """Compare the ranks that memory is taken for with those of the weights."""
    found = max((shape[0] for name, shape in shapes.items() if ".lora_A" in name and shape), default=0)
    wanted = max([config.r, *config.rank_pattern.values()])
    if wanted > found:
        raise UnreadableFile(f"{CONFIG_FILE} has the rank {wanted}, {WEIGHTS_FILE} {found or 'no weights of LoRA'}")
