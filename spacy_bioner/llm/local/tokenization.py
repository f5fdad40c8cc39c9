"""Prompts and answers as token ids, cut the same way in fine-tuning, scoring and decoding.

Text is tokenised unit by unit (`units.find_units`), in the prompt and in the answer alike, so that each place where a
mark may stand is a token boundary and a copied word has the tokens that it has in the prompt. Document text is data:
whatever it holds, it never becomes a control token.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, List, Optional, Pattern, Sequence

from ...codecs.base import Piece
from ...errors import BionerError, Errors
from ...prompts.build import Prompt
from ...tokens import find_units

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Characters without a byte of their own in byte-level vocabularies, and halves of surrogate pairs, which have no
# UTF-8 form. Answers are copied by source offset, so the model alone sees the replacement.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_SLOT = "<<{name}-of-the-document>>"


def encode_each(tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str]) -> List[List[int]]:
    """Tokenise texts one by one, as data.

    tokenizer (PreTrainedTokenizerBase): The tokenizer.
    texts (Sequence[str]): The texts; control tokens written in them are split into ordinary ones.
    RETURNS (List[List[int]]): Token ids of each.
    """
    if not texts:
        return []
    control = _control_tokens(frozenset(tokenizer.get_added_vocab()))
    plain = [_UNSEEN.sub(_REPLACEMENT, text) for text in texts]
    if control is None or not any(map(control.search, plain)):
        return tokenizer(plain, add_special_tokens=False)["input_ids"]
    return [[token for part in _split_control_tokens(text, control)
             for token in tokenizer(part, add_special_tokens=False)["input_ids"]] for text in plain]


@lru_cache(maxsize=16)
def _control_tokens(contents: frozenset) -> Optional[Pattern[str]]:
    if not contents:
        return None
    return re.compile("|".join(re.escape(content) for content in sorted(contents, key=len, reverse=True)))


def _split_control_tokens(text: str, control: Pattern[str]) -> List[str]:
    """Cut a text behind the first character of each control token in it, so that none is left whole."""
    cuts = [match.start() + 1 for match in control.finditer(text)]
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)]) if start < end]


def encode_text(tokenizer: "PreTrainedTokenizerBase", text: str) -> List[int]:
    """Return token ids of a text, unit by unit, white space with the unit behind it."""
    starts = [0, *(end for _, end in find_units(text))]
    pieces = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)]) if start < end]
    return [token for ids in encode_each(tokenizer, pieces) for token in ids]


def encode_prompt(tokenizer: "PreTrainedTokenizerBase", prompt: Prompt, *, chat: bool = False) -> List[int]:
    """Tokenise a prompt; the answer's tokens follow directly.

    tokenizer (PreTrainedTokenizerBase): The tokenizer.
    prompt (Prompt): The rendered prompt.
    chat (bool): Whether to wrap it into the chat markup of the tokenizer's template.
    RETURNS (List[int]): Token ids. What is before the document is the same for all prompts of a run.
    RAISES BionerError: E205 where chat markup is wanted and the tokenizer has no template.
    """
    if not chat:
        begin = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        return begin + encode_text(tokenizer, prompt.plain + "\n")
    contents = {_SLOT.format(name=message["role"]): message["content"] for message in prompt.messages}
    ids: List[int] = []
    for part in _chat_parts(tokenizer, prompt, list(contents)):
        if part in contents:
            ids += encode_text(tokenizer, contents[part])
        elif part:
            ids += tokenizer(part, add_special_tokens=False)["input_ids"]
    return ids


def _chat_parts(tokenizer: "PreTrainedTokenizerBase", prompt: Prompt, slots: List[str]) -> List[str]:
    """Render the chat template over slots that stand for the contents, and cut it at them."""
    if not tokenizer.chat_template:
        raise BionerError(Errors.E205.format(name=tokenizer.name_or_path))
    messages = [{**message, "content": slot} for message, slot in zip(prompt.messages, slots)]
    markup = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    return re.split("(" + "|".join(map(re.escape, slots)) + ")", markup)


def encode_pieces(tokenizer: "PreTrainedTokenizerBase", pieces: Sequence[Piece]) -> List[int]:
    """Return token ids of an answer, piece by piece, without the token that ends it."""
    return [token for ids in encode_each(tokenizer, [piece.text for piece in pieces]) for token in ids]


def end_id(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the token that ends an answer; raises BionerError E204 where the tokenizer has none."""
    if tokenizer.eos_token_id is None:
        raise BionerError(Errors.E204.format(name=tokenizer.name_or_path))
    return tokenizer.eos_token_id
