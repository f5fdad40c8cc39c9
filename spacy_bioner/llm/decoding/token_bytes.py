"""The bytes that each token of a vocabulary stands for, so that no character is ever left half written."""

import codecs
import json
import re
from typing import TYPE_CHECKING, List, Optional, Tuple

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")
_WORD_START = "\u2581"


def read_token_bytes(tokenizer: "PreTrainedTokenizerBase") -> List[bytes]:
    """Spell each token in bytes.

    tokenizer (PreTrainedTokenizerBase): A byte-level tokenizer, or one of pieces with byte tokens beside them.
    RETURNS (List[bytes]): By token id.
    """
    tokens = [token or "" for token in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))]
    decoder = json.dumps(json.loads(tokenizer.backend_tokenizer.to_str()).get("decoder"))
    if "ByteLevel" not in decoder:
        return [_spell_piece(token) for token in tokens]
    alphabet = _byte_alphabet()
    return [bytes(alphabet[character] for character in token) if all(character in alphabet for character in token)
            else token.encode("utf8", "surrogatepass") for token in tokens]


def _spell_piece(token: str) -> bytes:
    byte = _BYTE_TOKEN.fullmatch(token)
    return bytes([int(byte[1], 16)]) if byte else token.replace(_WORD_START, " ").encode("utf8", "surrogatepass")


def _byte_alphabet() -> "dict[str, int]":
    """Return the printable character that stands for each byte in byte-level vocabularies."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {**{chr(byte): byte for byte in printable}, **{chr(256 + place): byte for place, byte in enumerate(rest)}}


def complete_characters(pending: bytes, added: bytes) -> Optional[Tuple[str, bytes]]:
    """Put bytes behind those that wait for the rest of their character.

    pending (bytes): The beginning of a character, or nothing.
    added (bytes): The bytes of the next token.
    RETURNS (Optional[Tuple[str, bytes]]): The characters that are whole now and the bytes that wait still; None where
        the bytes are no UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf8")()
    try:
        text = decoder.decode(pending + added)
    except UnicodeDecodeError:
        return None
    return text, decoder.getstate()[0]
