"""Reads JSON as models write it: in prose, cut off, with wrong quotes or commas, one pass over the reply.

Whole values before a cut are kept and a half one never is, which ready-made repairers do not promise.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, List, Tuple

_BRACKET = re.compile(r"[\[{［｛【]")
_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*[^*]{0,200}\*/)*")
_ARRAY_OPEN, _ARRAY_CLOSE = "[［【", "]］】"
_OBJECT_OPEN, _OBJECT_CLOSE = "{｛", "}｝"
_COMMA, _COLON = ",，、;；", ":：="
_QUOTES = {opening: re.compile(f"[{closing}\\\\]") for opening, closing in {
    '"': '"', "'": "'", "“": "”\"", "”": "”\"", "‘": "’'", "「": "」", "『": "』", "`": "`'", "＂": "＂"}.items()}
_AFTER_STRING = re.compile(r"\s*(?:[,:}\]，、：｝］】=]|//|\Z|[\"'“][^\"'“”\n]{1,40}[\"'”]\s*[:：])")
_WORD = re.compile(r"[^\s\[\]{}\"'“”,:，：［］｛｝【】]+")
_UNQUOTED = re.compile(r"[^\[\]{}\"“”,，\n［］｛｝【】]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_LITERALS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?\Z")
_DEEPEST = 8
_SEEN_BEFORE = 80
# A quote that is never closed makes one scan to the end of the reply; so many of them are looked into.
_MOST_OPEN_STRINGS = 4


class Pairs(List[Tuple[str, Any]]):
    """An object as its members in order, repeated keys included."""


@dataclass
class Payloads:
    """The JSON values of a reply.

    values (List[Any]): Arrays as lists, objects as `Pairs`.
    before (List[str]): For each value the end of the text that stands before it.
    malformed (bool): Whether something was repaired.
    truncated (bool): Whether the reply ends inside a value.
    extra (bool): Whether other text stands around them.
    """

    values: List[Any] = field(default_factory=list)
    before: List[str] = field(default_factory=list)
    malformed: bool = False
    truncated: bool = False
    extra: bool = False


class _NotJson(Exception):
    """What began with a bracket is prose."""


class _TooDeep(_NotJson):
    """No answer is nested as deeply as this."""


class _Cut(Exception):
    """The reply ended inside a value of which nothing can be kept."""


def read_payloads(reply: str) -> Payloads:
    """Find and read the JSON values of a reply.

    reply (str): What the model wrote.
    RETURNS (Payloads): The arrays and objects, and what was wrong.
    """
    try:
        value = json.loads(reply, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return _scan(reply)
    if isinstance(value, str):
        return read_payloads(value) if len(value) < len(reply) else Payloads(extra=True)
    return Payloads([value], [""]) if isinstance(value, list) else Payloads(extra=True)


def _scan(reply: str) -> Payloads:
    """Return the values found by going from bracket to bracket."""
    reader = _Reader(reply)
    found = Payloads()
    outside: List[str] = []
    at = 0
    while True:
        match = _BRACKET.search(reply, at)
        if match is None:
            break
        start = reader.at = match.start()
        try:
            value = reader.read_value(0)
        except _NotJson as error:
            end = reader.at + 1 if isinstance(error, _TooDeep) else start + 1
            outside.append(reply[at:end])
            at = end
            continue
        except _Cut:
            reader.truncated = True
            value = []
        if reader.truncated:
            reader.at = len(reply)
        before = reply[at:start]
        outside.append(before)
        at = reader.at
        if _is_payload(value):
            found.values.append(value)
            found.before.append("" if before.isspace() else before[-_SEEN_BEFORE:])
        else:
            outside.append(reply[start:at])
    outside.append(reply[at:])
    rest = "".join(outside)
    found.truncated = reader.truncated and bool(found.values)
    found.malformed = reader.malformed and bool(found.values) or bool(re.search(r"[\[\]{},]", rest)) and bool(
        found.values) and not re.search(r"\w", rest)
    found.extra = bool(re.search(r"[^\s\[\]{},;，]", rest))
    return found


def _is_payload(value: Any) -> bool:
    """Return whether a value may be an answer; a list of numbers is a citation."""
    if isinstance(value, Pairs) or not value:
        return True
    return any(isinstance(item, (str, list)) for item in value)


class _Reader:
    """Reads one value after another; a recursive descent that knows how replies go wrong."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.malformed = False
        self.truncated = False
        self._open_strings = 0

    def _peek(self) -> str:
        """Return the next visible character, empty at the end."""
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
        return self.text[self.at:self.at + 1]

    def read_value(self, depth: int) -> Any:
        """Return the value that begins here."""
        character = self._peek()
        if not character:
            raise _Cut
        if depth > _DEEPEST:
            raise _TooDeep
        if character in _ARRAY_OPEN:
            self.at += 1
            return self._read_array(depth)
        if character in _OBJECT_OPEN:
            self.at += 1
            return self._read_object(depth, "")
        if character in _QUOTES:
            return self._read_string()
        return self._read_word()

    def _read_array(self, depth: int) -> List[Any]:
        """Return the whole items up to the closing bracket, or up to the cut."""
        items: List[Any] = []
        commas = 0
        while True:
            character = self._peek()
            if not character:
                self.truncated = True
                return items
            if character in _ARRAY_CLOSE:
                self.malformed |= commas > 0
                self.at += 1
                return items
            if character in _COMMA:
                commas += 1
                self.malformed |= commas > 1 or not items
                self.at += 1
                continue
            if character in _OBJECT_CLOSE + _COLON:
                self.malformed = True
                self.at += 1
                continue
            self.malformed |= bool(items) and not commas
            commas = 0
            begin = self.at
            try:
                value = self.read_value(depth + 1)
            except _Cut:
                self.truncated = True
                return items
            except _TooDeep:
                raise
            except _NotJson:
                if not items:
                    raise
                self.malformed = True
                self.at = begin
                return items
            if isinstance(value, str) and self._peek() and self._peek() in _COLON:
                self.malformed = True
                self.at = begin
                value = self._read_object(depth + 1, _ARRAY_CLOSE)
            items.append(value)

    def _read_object(self, depth: int, other_end: str) -> Any:
        """Return the members; of an object that is cut only those that hold whole items."""
        pairs = Pairs()
        commas = 1
        while True:
            character = self._peek()
            if not character:
                return self._half(pairs)
            if character in _OBJECT_CLOSE:
                self.at += 1
                break
            if character in _COMMA:
                commas += 1
                self.at += 1
                continue
            if character in _ARRAY_CLOSE:
                self.malformed = True
                break
            if character in _OBJECT_OPEN:
                self.malformed = True
                if not pairs and not other_end and depth < _DEEPEST:
                    self.at += 1
                    return self._read_object(depth + 1, "")
                break
            self.malformed |= commas != 1
            commas = 0
            try:
                pairs.append(self._read_member(depth))
            except _Cut:
                return self._half(pairs)
        self.malformed |= len({key for key, _ in pairs}) < len(pairs)
        return pairs

    def _half(self, pairs: Pairs) -> Pairs:
        self.truncated = True
        whole = Pairs((key, value) for key, value in pairs if isinstance(value, list))
        if not whole:
            raise _Cut
        return whole

    def _read_member(self, depth: int) -> Tuple[str, Any]:
        """Return the key and value; what is cut inside the value counts where it holds whole items."""
        character = self._peek()
        if character in _QUOTES:
            key = self._read_string()
        else:
            key = self._match(_WORD)
            self.malformed = True
        character = self._peek()
        if not character:
            raise _Cut
        if character not in _COLON:
            if character in _COMMA + _OBJECT_CLOSE:
                self.malformed = True
                return key, None
            raise _NotJson
        self.malformed |= character != ":"
        self.at += 1
        if self._peek() == ">":
            self.at += 1
        character = self._peek()
        if not character:
            raise _Cut
        if character in _COMMA + _OBJECT_CLOSE:
            self.malformed = True
            return key, None
        if character in _QUOTES or character in _ARRAY_OPEN or character in _OBJECT_OPEN:
            return key, self.read_value(depth + 1)
        return key, self._read_unquoted()

    def _read_unquoted(self) -> Any:
        """Return a number, a literal, or words without quotes; at the end of the reply it may be cut."""
        word = self._match(_UNQUOTED).strip()
        if self.at == len(self.text):
            raise _Cut
        return self._literal(word)

    def _read_word(self) -> Any:
        word = self._match(_WORD)
        if self.at == len(self.text):
            raise _Cut
        if word not in _LITERALS and not _NUMBER.match(word):
            raise _NotJson
        return self._literal(word)

    def _match(self, pattern: "re.Pattern[str]") -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _NotJson
        self.at = match.end()
        return match[0]

    def _literal(self, word: str) -> Any:
        if _NUMBER.match(word):
            return float(word) if "." in word else int(word)
        if word in _LITERALS:
            self.malformed |= word[0].isupper()
            return _LITERALS[word]
        self.malformed = True
        return word

    def _read_string(self) -> str:
        """Return a string; a quote that nothing expected follows is part of it."""
        quote = self.text[self.at]
        ends = _QUOTES[quote]
        self.malformed |= quote != '"'
        begin = at = self.at + 1
        while True:
            match = ends.search(self.text, at)
            if match is None:
                return self._unclosed(begin)
            at = match.end()
            if match[0] == "\\":
                at += 1
            elif _AFTER_STRING.match(self.text, at):
                break
            else:
                self.malformed = True
        self.at = at
        return self._unescape(self.text[begin:at - 1])

    def _unclosed(self, begin: int) -> str:
        """Return what stands before a closing brace, where the quote was forgotten and not cut off."""
        self._open_strings += 1
        end = self.text.find("}", begin)
        if end < 0 or self._open_strings > _MOST_OPEN_STRINGS:
            raise _Cut
        self.malformed = True
        self.at = end
        return self._unescape(self.text[begin:end])

    def _unescape(self, raw: str) -> str:
        if "\n" in raw or "\t" in raw:
            self.malformed = True
        if "\\" not in raw:
            return raw
        text = _ESCAPE.sub(_replace_escape, raw)
        if any("\ud800" <= character <= "\udfff" for character in text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return text


def _replace_escape(match: "re.Match[str]") -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return _CONTROLS.get(match[2], match[2])
