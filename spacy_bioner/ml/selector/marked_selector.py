"""The selector that reads every candidate as a text of its own: label, definition, and the candidate in its text.

Three heads: "bert_cls" (an encoder, the vectors of the two marks), "llm_cls" (a causal model with LoRA, the vector of
the last piece) and "llm_causal" (the same, its own "yes" against its "no"). Of a causal model only LoRA and head are
stored; the base is read again by its name. An encoder is stored whole.
"""

import json
from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import torch
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats1d
from tokenizers import Tokenizer

from ...errors import BionerError, Errors
from ...llm.local.hub import resolve_model
from ...llm.local.pretrained import build_model, load_model, load_tokenizer
from ..encoder.encoder_lora import LoraModule, add_lora, check_base
from ..encoder.word_pieces import PACKED_CPU, PACKED_GPU, PackLimits, pack_rows
from ..torch_module import ModuleShim, forward_pass
from .fast_selector import Spans
from .marked_text import MarkedText, make_rows
from .prefix_tree import grow_trees, last_states, reads_trees

HEADS = ("bert_cls", "llm_cls", "llm_causal")


class MarkedJudge(LoraModule):
    """Rows of pieces to logits.

    transformer (torch.nn.Module): The model without its language head.
    head (str): One of HEADS.
    answers (Optional[torch.Tensor]): For "llm_causal" the output vectors of "yes" and "no", (2, width).
    """

    def __init__(self, transformer: torch.nn.Module, head: str, answers: Optional[torch.Tensor]):
        super().__init__()
        self.transformer = transformer
        self.head = head
        self.reads_trees = head != "bert_cls" and reads_trees(transformer)
        width = transformer.config.hidden_size
        if head == "llm_causal":
            self.register_buffer("answers", answers, persistent=False)
            self.shift = torch.nn.Parameter(torch.zeros(()))
        else:
            self.judge = torch.nn.Linear(2 * width if head == "bert_cls" else width, 1)

    def forward(self, rows: Sequence[MarkedText], pad_id: int, limits: PackLimits) -> torch.Tensor:
        """Judge candidates.

        rows (Sequence[MarkedText]): The candidates, marked in their texts.
        pad_id (int): The piece that fills shorter rows.
        limits (PackLimits): How much is read at once.
        RETURNS (torch.Tensor): Their logits, (rows,), as float32.
        """
        if not rows:
            return torch.zeros(0)
        if self._reads_as_trees(rows):
            # The candidates of a text are told apart behind the first mark: up to there they are read once.
            trees = grow_trees([row.ids for row in rows])
            packs = [tree.rows for tree in trees]
            logits = [self._judge_ends(last_states(self.transformer, tree)) for tree in trees]
        else:
            packs = pack_rows([len(row.ids) for row in rows], limits)
            logits = [self._judge_padded([rows[place] for place in pack], pad_id) for pack in packs]
        order = torch.tensor([place for pack in packs for place in pack]).argsort()
        return torch.cat(logits)[order.to(logits[0].device)]

    def _reads_as_trees(self, rows: Sequence[MarkedText]) -> bool:
        """Return whether a tree gives the states of the rows; the mask of a tree knows of no window."""
        window = getattr(self.transformer.config, "sliding_window", None)
        return self.reads_trees and (not window or max(len(row.ids) for row in rows) <= window)

    def _judge_padded(self, rows: Sequence[MarkedText], pad_id: int) -> torch.Tensor:
        width = max(len(row.ids) for row in rows)
        ids = torch.full((len(rows), width), pad_id)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, :len(row.ids)] = torch.tensor(row.ids)
            mask[place, :len(row.ids)] = 1
        device = next(self.transformer.parameters()).device
        hidden = self.transformer(input_ids=ids.to(device), attention_mask=mask.to(device)).last_hidden_state
        all_rows = torch.arange(len(rows), device=device)

        def states(places: Iterable[int]) -> torch.Tensor:
            return hidden[all_rows, torch.tensor(list(places), device=device)].float()

        if self.head != "bert_cls":
            return self._judge_ends(states(len(row.ids) - 1 for row in rows))
        marks = [states(row.open_at for row in rows), states(row.close_at for row in rows)]
        return self.judge(torch.cat(marks, dim=1))[:, 0].float()

    def _judge_ends(self, last: torch.Tensor) -> torch.Tensor:
        last = last.float()
        if self.head == "llm_cls":
            return self.judge(last)[:, 0].float()
        return (last @ (self.answers[0] - self.answers[1]).float()) + self.shift


def build_marked_selector(name: str, head: str, definitions: Dict[str, str], max_pieces: int, mixed_precision: bool,
                          lora_rank: int, lora_alpha: int, lora_dropout: float, rate_factor: float,
                          average: float) -> Model[Tuple[List[Doc], Spans], Floats1d]:
    """Build the marked selector.

    name (str): An encoder for "bert_cls", a causal language model for the others.
    head (str): "bert_cls", "llm_cls" or "llm_causal".
    definitions (Dict[str, str]): Label to its definition; a label without one is read alone.
    max_pieces (int): Most pieces of a row: of longer texts the part round the candidate is read.
    mixed_precision (bool): Whether to compute in bf16 where the device is quicker in it.
    lora_rank (int): Rank of LoRA on all linear layers of a causal model.
    lora_alpha (int): Its scale.
    lora_dropout (float): Its dropout.
    rate_factor (float): Factor on the learning rate of the head.
    average (float): Decay of the moving average of the weights; 0 keeps none.
    RETURNS (Model[Tuple[List[Doc], Spans], Floats1d]): Logits of all candidates, document by document.
    RAISES BionerError: E519 for an unknown head.
    """
    if head not in HEADS:
        raise BionerError(Errors.E519.format(head=head, known=", ".join(HEADS)))
    is_causal = head != "bert_cls"
    shim = ModuleShim(build_judge, average=average, trained_only=is_causal,
                      rate_factor=partial(_rate_of_head, factor=rate_factor))
    model = Model("marked_selector", _forward, init=_init, shims=[shim], dims={"nO": None}, attrs={
        "labels": [], "definitions": dict(definitions), "max_pieces": max_pieces, "mixed_precision": mixed_precision,
        "settings": {"name": name, "head": head, "rank": lora_rank, "alpha": lora_alpha, "dropout": lora_dropout}})
    model.set_ref("output_layer", model)
    return model


def _rate_of_head(part: str, module: torch.nn.Module, *, factor: float) -> float:
    return 1.0 if part.startswith("transformer.") else factor


def build_judge(config: Dict[str, Any]) -> MarkedJudge:
    """Build the module from its config; the base of a causal model is read by its name, an encoder only at first.

    config (Dict[str, Any]): name, head, rank, alpha, dropout; once trained also what tells the base model from others,
        or of an encoder all but its weights.
    RETURNS (MarkedJudge): The module, with the tokenizer that makes its rows.
    RAISES BionerError: E520 where the base model is not the one that it was trained on.
    """
    read = _read_encoder if config["head"] == "bert_cls" else _read_causal
    transformer, tokenizer, answers = read(config)
    judge = MarkedJudge(transformer, config["head"], answers)
    judge.tokenizer = tokenizer
    return judge


def _read_causal(config: Dict[str, Any]) -> Tuple[torch.nn.Module, Any, torch.Tensor]:
    source = resolve_model(config["name"])
    tokenizer, whole = load_tokenizer(source), load_model(source, dtype=torch.float32, head="causal")
    yes, no = (tokenizer.encode(word, add_special_tokens=False)[-1] for word in (" yes", " no"))
    answers = whole.get_output_embeddings().weight[[yes, no]].detach().clone()
    # Of some families the model names no part of itself as its base.
    base = whole.base_model if whole.base_model is not whole else whole.get_decoder()
    transformer = add_lora(base, config)
    check_base(transformer, config)
    return transformer, tokenizer, answers


def _read_encoder(config: Dict[str, Any]) -> Tuple[torch.nn.Module, Any, None]:
    """An encoder is trained and stored whole, so a trained one is built without its name."""
    from transformers import PreTrainedTokenizerFast

    if "transformer" in config:
        transformer = build_model(config["transformer"])
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(config["tokenizer"]),
                                            pad_token=config["pad_token"])
    else:
        source = resolve_model(config["name"])
        tokenizer, transformer = load_tokenizer(source), load_model(source, dtype=torch.float32)
        values = {**transformer.config.to_diff_dict(), "model_type": transformer.config.model_type}
        config.update(transformer=json.loads(json.dumps(values, default=str)), pad_token=tokenizer.pad_token,
                      tokenizer=tokenizer.backend_tokenizer.to_str())
    transformer.pooler = None
    return transformer, tokenizer, None


def _init(model: Model, X: Any = None, Y: Any = None) -> Model:
    shim: ModuleShim = model.shims[0]
    config = dict(model.attrs["settings"])
    shim.set_module(build_judge(config), config)
    return model


def _forward(model: Model, inputs: Tuple[List[Doc], Spans], is_train: bool) -> Tuple[Floats1d, Callable]:
    docs, spans = inputs
    module: MarkedJudge = model.shims[0].for_mode(is_train=is_train)
    rows = make_rows(docs, spans, tokenizer=module.tokenizer, labels=model.attrs["labels"],
                     definitions=model.attrs["definitions"], max_pieces=model.attrs["max_pieces"],
                     asks=module.head == "llm_causal")
    device = next(module.parameters()).device
    with forward_pass(device, mixed_precision=model.attrs["mixed_precision"], is_train=is_train):
        scores = module(rows, module.tokenizer.pad_token_id or 0, PACKED_CPU if device.type == "cpu" else PACKED_GPU)

    def backprop(d_logits: Floats1d) -> List[Doc]:
        if rows:
            scores.backward(xp2torch(d_logits))
        return []

    return model.ops.asarray1f(torch2xp(scores.detach())), backprop
