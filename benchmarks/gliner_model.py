"""A GLiNER model of random weights, of the size of gliner_small: made on the spot, nothing is fetched.

Its encoder has the shape of DeBERTa-v3-small (He et al. 2021, arXiv:2111.09543): 6 layers of width 768, with relative
positions. Its tokenizer is that of the embedded MiniLM, so its embeddings have 30,524 rows in place of 128,003, which
costs no time: about 300 MB of memory less.
"""

from pathlib import Path
from typing import Sequence

from spacy_bioner.extras import extra
from spacy_bioner.llm.local.hub import resolve_model
from spacy_bioner.llm.local.pretrained import load_tokenizer
from spacy_bioner.taggers.gliner_tagger import GlinerTagger

TOKENIZER = "all-minilm-l6-v2"
# As gliner_config.json of gliner_small-v2.1 says.
SETTINGS = {"hidden_size": 512, "max_width": 12, "max_len": 384, "num_rnn_layers": 1, "span_mode": "markerV0",
            "subtoken_pooling": "first"}


def write_model(folder: Path) -> None:
    """Write a model of random weights.

    folder (Path): Takes weights, tokenizer and settings.
    RAISES BionerError: E706 without the package gliner.
    """
    with extra("gliner"):
        from gliner import GLiNER
    import torch
    from transformers import DebertaV2Config

    tokenizer = load_tokenizer(resolve_model(TOKENIZER))
    encoder = DebertaV2Config(
        vocab_size=len(tokenizer), hidden_size=768, num_hidden_layers=6, num_attention_heads=12, intermediate_size=3072,
        max_position_embeddings=512, type_vocab_size=0, relative_attention=True, position_buckets=256,
        norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False,
        layer_norm_eps=1e-7, pad_token_id=tokenizer.pad_token_id)
    for part in (tokenizer, encoder):
        part.save_pretrained(folder / "encoder")
    torch.manual_seed(0)
    model = GLiNER.from_config({**SETTINGS, "model_name": str(folder / "encoder"), "encoder_config": encoder.to_dict()},
                               backbone_from_pretrained=False)
    model.save_pretrained(folder, safe_serialization=True)


def open_model(folder: Path, labels: Sequence[str]) -> GlinerTagger:
    """Return the model as an annotator that is asked for labels. Random scores decide nothing, so no span is kept."""
    return GlinerTagger(folder, name="gliner", schema={label: "" for label in labels}, map={}, threshold=1.0)
