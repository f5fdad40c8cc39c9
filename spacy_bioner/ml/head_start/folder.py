"""The folder of a head start: what was trained, as low-rank differences from the base model, and its card.

A difference is the product of two narrow matrices, as LoRA trains it (Hu et al., 2021, arXiv:2106.09685), so a whole
encoder takes a few megabytes. The hashes of the training texts lie beside them, see `training.training_texts`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load_file, save

from ...errors import BionerError, Errors, first_fault
from ...files import write_json
from ...llm.model_files import UnreadableFile, read_object, read_shapes
from ..encoder.encoder_lora import describe_base

PACKAGED = "packaged"
CARD_FILE, WEIGHTS_FILE = "head_start.json", "weights.safetensors"
_KIND = "spacy-bioner head start 1"
_ENCODER, _GRID = "encoder.", "grid."
_DOWN, _UP = ".down", ".up"


class HeadStartCard(BaseModel):
    """What is read of `head_start.json`.

    kind (str): Kind and version of the file.
    encoder (str): Name of the base model.
    base (List[Any]): Hidden size, layers, vocabulary and hash of the first weights of the base model.
    grid (Dict[str, Any]): Settings of the span grid whose heads these are.
    labels (List[str]): Its labels, each with its source before it.
    sources (Dict[str, Any]): What it was trained on.
    sha256 (Dict[str, str]): File to its SHA-256 sum.
    """

    model_config = ConfigDict(extra="allow")

    kind: str
    encoder: str
    base: List[Any]
    grid: Dict[str, Any]
    labels: List[str]
    sources: Dict[str, Any]
    sha256: Dict[str, str]


@dataclass(frozen=True)
class HeadStart:
    """Weights to begin with.

    folder (Path): Where they are from.
    card (HeadStartCard): What they are.
    differences (Mapping[str, Tuple[torch.Tensor, torch.Tensor]]): Name of a linear layer to two matrices,
        (rank, inputs) and (outputs, rank), whose product is added to its weights.
    grid (Mapping[str, torch.Tensor]): The parameters of the span grid.
    """

    folder: Path
    card: HeadStartCard
    differences: Mapping[str, Tuple[torch.Tensor, torch.Tensor]]
    grid: Mapping[str, torch.Tensor]

    def add_to(self, transformer: torch.nn.Module, name: str) -> None:
        """Add the differences to the weights of a base model.

        transformer (torch.nn.Module): The base model.
        name (str): Its name, for the error.
        RAISES BionerError: E570 where it is another model than the one that was trained.
        """
        found = describe_base(transformer)
        if found != self.card.base:
            raise BionerError(Errors.E570.format(path=self.folder, found=name, wanted=self.card.encoder))
        with torch.no_grad():
            for layer, (down, up) in self.differences.items():
                weight = transformer.get_submodule(layer).weight
                assert isinstance(weight, torch.Tensor)
                weight += (up.float() @ down.float()).to(weight)


def find_head_start(start_from: str) -> Path:
    """Return the folder that a setting `start_from` names: its own, or the one in this package."""
    return Path(__file__).parent / PACKAGED if start_from == PACKAGED else Path(start_from)


def read_card(folder: Path) -> HeadStartCard:
    """Read the card of a head start and compare the files beside it with their sums.

    folder (Path): The folder.
    RETURNS (HeadStartCard): The card.
    RAISES BionerError: E569 where there is none, or a file is missing or changed.
    """
    try:
        card = HeadStartCard.model_validate(read_object(folder / CARD_FILE))
        if card.kind != _KIND:
            raise UnreadableFile(f"{CARD_FILE} is of the kind '{card.kind}'")
        for name in {WEIGHTS_FILE, *card.sha256}:
            if _hash_file(folder / name) != card.sha256.get(name):
                raise UnreadableFile(f"{name} has another checksum than {CARD_FILE} says")
    except ValidationError as error:
        key, why = first_fault(error)
        raise BionerError(Errors.E569.format(path=folder, why=f"{key} in {CARD_FILE}: {why}")) from None
    except UnreadableFile as error:
        raise BionerError(Errors.E569.format(path=folder, why=error)) from None
    return card


def read_head_start(folder: Path) -> HeadStart:
    """Read a head start.

    folder (Path): The folder.
    RETURNS (HeadStart): Its weights and its card.
    RAISES BionerError: E569 where there is none, or a file is missing, changed or damaged.
    """
    card = read_card(folder)
    try:
        read_shapes(folder / WEIGHTS_FILE)
    except UnreadableFile as error:
        raise BionerError(Errors.E569.format(path=folder, why=error)) from None
    tensors = load_file(folder / WEIGHTS_FILE)
    layers = [name[len(_ENCODER):-len(_DOWN)] for name in tensors if name.endswith(_DOWN)]
    differences = {layer: (tensors[f"{_ENCODER}{layer}{_DOWN}"], tensors[f"{_ENCODER}{layer}{_UP}"])
                   for layer in layers}
    grid = {name[len(_GRID):]: value.float() for name, value in tensors.items() if name.startswith(_GRID)}
    return HeadStart(folder, card, differences, grid)


def write_head_start(folder: Path, encoder: torch.nn.Module, grid: torch.nn.Module, card: Mapping[str, Any]) -> None:
    """Write the weights of a trained span categorizer as a head start, in float16.

    folder (Path): The folder; it holds the hashes of the training texts.
    encoder (torch.nn.Module): A transformer with LoRA on its linear layers.
    grid (torch.nn.Module): The span grid.
    card (Mapping[str, Any]): What `head_start.json` says, without kind and sums.
    """
    tensors = {}
    for name, layer in encoder.named_modules():
        if hasattr(layer, "lora_A"):
            (adapter,) = layer.lora_A
            tensors[f"{_ENCODER}{name}{_DOWN}"] = layer.lora_A[adapter].weight
            tensors[f"{_ENCODER}{name}{_UP}"] = layer.lora_B[adapter].weight * layer.scaling[adapter]
    tensors.update({f"{_GRID}{name}": value for name, value in grid.state_dict().items()})
    # As bytes: save_file lets nobody else read the file, and makes an error of its own of a full disk.
    content = save({name: value.detach().cpu().to(torch.float16).contiguous() for name, value in tensors.items()})
    (folder / WEIGHTS_FILE).write_bytes(content)
    sums = {path.name: _hash_file(path) for path in sorted(folder.iterdir()) if path.name != CARD_FILE}
    write_json(folder / CARD_FILE, {"kind": _KIND, **card, "sha256": sums})


def _hash_file(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise UnreadableFile(f"no such file as {path.name}") from None
