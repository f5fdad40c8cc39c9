"""Writes the packaged GGUF file of the embedded language model out as a folder that loads at once."""

import logging
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import BionerError, Errors
from .pretrained import load_gguf_model, load_gguf_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

logger = logging.getLogger(__name__)

END_TOKEN = "<|im_end|>"


def convert_gguf(source: Path, folder: Path) -> None:
    """De-quantise a GGUF file into bf16 safetensors, with a tokenizer that treats text as in the training of the model.

    source (Path): The GGUF file.
    folder (Path): Existing folder to write to.
    RAISES BionerError: E706 where the reader's package is not installed.
    """
    if util.find_spec("gguf") is None:
        raise BionerError(Errors.E706.format(package="gguf", extra="llm"))
    import torch
    from transformers.utils import logging as transformers_logging

    logger.info("Converting %s, once", source.name)
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        tokenizer = read_tokenizer(source)
        model = load_gguf_model(source, dtype=torch.bfloat16)
    finally:
        transformers_logging.set_verbosity(verbosity)
    # From version 5 of transformers on a model counts as quantised that was, and is refused to be saved.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    end = tokenizer.eos_token_id
    for config in (model.config, model.generation_config):
        config.eos_token_id = config.pad_token_id = end
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def read_tokenizer(source: Path) -> "PreTrainedTokenizerFast":
    """Read the tokenizer of a GGUF file and mend what the reader gets wrong.

    As read, it puts a token before every text, ends answers with the token that begins messages, keeps runs of
    digits together, and changes white space when it decodes.

    source (Path): The GGUF file.
    RETURNS (PreTrainedTokenizerFast): The tokenizer as the model's authors published it.
    """
    from tokenizers import decoders, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    read = load_gguf_tokenizer(source)
    backend = read.backend_tokenizer
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                     pre_tokenizers.ByteLevel(add_prefix_space=False)])
    backend.post_processor = processors.ByteLevel(trim_offsets=False)
    backend.decoder = decoders.ByteLevel()
    # Versions of transformers differ in what they make of bytes that the vocabulary lacks.
    backend.model.unk_token, backend.model.fuse_unk, backend.model.byte_fallback = "<|endoftext|>", True, True
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token=END_TOKEN, pad_token=END_TOKEN, bos_token=None, unk_token="<|endoftext|>",
        clean_up_tokenization_spaces=False, chat_template=read.chat_template, model_max_length=8192)
