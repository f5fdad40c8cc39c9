"""The one place where transformers loads models and tokenizers: from local folders, and never code of theirs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Literal, Mapping, Optional, Tuple, Type, Union

from ...errors import BionerError, Errors
from ..model_files import UnreadableFile, read_object, read_shapes

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Head = Literal["none", "causal", "token classification"]
# `trust_remote_code=None`, the default, asks on the terminal and runs the code of a model on "y".
_SAFE = {"trust_remote_code": False, "local_files_only": True}
# Settings of a model that can name kernels in a repository, which are code too.
_KERNEL_KEYS = ("attn_implementation", "_attn_implementation", "experts_implementation")
# What transformers and torch raise for a folder that they cannot make a model of, beside `StrictDataclassError`.
_FAULTS = (ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError)


def load_tokenizer(folder: Union[str, Path]) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a model.

    folder (Union[str, Path]): Local folder of the model, see `hub.resolve_model`.
    RETURNS (PreTrainedTokenizerBase): The tokenizer.
    RAISES BionerError: E230 where it cannot be read, E231 where it needs code of its own.
    """
    from transformers import AutoTokenizer

    with _reading(folder):
        return AutoTokenizer.from_pretrained(str(folder), use_fast=True, **_SAFE)


def load_model(folder: Union[str, Path], *, dtype: "torch.dtype", head: Head = "none",
               **options: Any) -> "PreTrainedModel":
    """Load a model from safetensors.

    folder (Union[str, Path]): Local folder of the model, see `hub.resolve_model`.
    dtype (torch.dtype): Number type of the weights.
    head (str): Which head is loaded too: "none", "causal" (of a language model) or "token classification".
    **options (Any): Further settings, for quantised weights.
    RETURNS (PreTrainedModel): The model.
    RAISES BionerError: E203 without safetensors, E230 where it cannot be read, E231 where it needs code of its own.
    """
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForTokenClassification

    kinds: Dict[str, Any] = {"none": AutoModel, "causal": AutoModelForCausalLM,
                             "token classification": AutoModelForTokenClassification}
    with _reading(folder):
        _check_folder(Path(folder))
        return kinds[head].from_pretrained(str(folder), use_safetensors=True, **_dtype(dtype), **_SAFE, **options)


def load_gguf_tokenizer(source: Path) -> "PreTrainedTokenizerBase":
    """Return the tokenizer of a GGUF file, as transformers reads it."""
    from transformers import AutoTokenizer

    with _reading(source):
        return AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name, **_SAFE)


def load_gguf_model(source: Path, *, dtype: "torch.dtype") -> "PreTrainedModel":
    """Return the causal language model of a GGUF file, de-quantised."""
    from transformers import AutoModelForCausalLM

    with _reading(source):
        return AutoModelForCausalLM.from_pretrained(str(source.parent), gguf_file=source.name, **_dtype(dtype), **_SAFE)


def build_model(settings: Mapping[str, Any]) -> "PreTrainedModel":
    """Build a model without a head from its settings, its weights random.

    settings (Mapping[str, Any]): The settings, with `model_type`.
    RETURNS (PreTrainedModel): The model.
    RAISES BionerError: E230 where the settings describe no model, E231 where they name code.
    """
    from transformers import AutoConfig, AutoModel

    with _reading("the pipeline"):
        _check_settings(settings, "the pipeline")
        values = {key: value for key, value in settings.items() if key not in ("model_type", "auto_map")}
        config = AutoConfig.for_model(settings["model_type"], **values)
        return AutoModel.from_config(config, trust_remote_code=False)


def refuse_code(settings: Mapping[str, Any], source: Union[str, Path]) -> None:
    """Refuse the settings of a model that another package loads, where they name code of the model's own.

    settings (Mapping[str, Any]): The settings.
    source (Union[str, Path]): Where they are from, for the error.
    RAISES BionerError: E231.
    """
    if settings.get("auto_map"):
        raise BionerError(Errors.E231.format(path=source))
    _check_settings(settings, source)


class _reading:
    """Turn the errors of the libraries that read a model into one line.

    source (Union[str, Path]): What is read, for the error.
    """

    def __init__(self, source: Union[str, Path]) -> None:
        self.source = source

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Any) -> None:
        # What tokenizers raises for a damaged file is an `Exception`, of no class of its own.
        if kind is None or issubclass(kind, BionerError) or not (kind is Exception or issubclass(kind, _faults())):
            return
        if "trust_remote_code" in str(error):
            raise BionerError(Errors.E231.format(path=self.source)) from None
        lines = str(error).strip().splitlines() or [kind.__name__]
        raise BionerError(Errors.E230.format(path=self.source, why=lines[0].rstrip("."))) from None


def _faults() -> Tuple[Type[Exception], ...]:
    from huggingface_hub import errors

    return (*_FAULTS, getattr(errors, "StrictDataclassError", ValueError))


def _check_folder(folder: Path) -> None:
    """Check the files that will be read. RAISES BionerError, UnreadableFile: For what is missing or damaged."""
    _check_settings(read_object(folder / "config.json"), folder)
    if (folder / "adapter_config.json").exists():
        # transformers would load the base model that an adapter names, from a hub.
        raise UnreadableFile("it is the folder of an adapter too; give the model, and the adapter as adapter")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise BionerError(Errors.E203.format(name=folder.name, path=folder))
    for path in weights:
        read_shapes(path)


def _check_settings(settings: Mapping[str, Any], source: Union[str, Path]) -> None:
    """Refuse settings that name code, or that this version of transformers would pass over."""
    from transformers import __version__

    if __version__.startswith("4.") and settings.get("rope_parameters"):
        raise UnreadableFile("it was written by transformers 5, and its positions are not read by 4; upgrade it")
    if any("/" in str(settings.get(key) or "") for key in _KERNEL_KEYS):
        raise BionerError(Errors.E231.format(path=source))


def _dtype(dtype: "torch.dtype") -> Dict[str, Any]:
    """Return the argument for the number type, by the name that this version knows."""
    from transformers import __version__

    return {"torch_dtype" if __version__.startswith("4.") else "dtype": dtype}
