"""From JSON values to claims: what a reply says that there is, in whatever shape it says so."""

import re
from dataclasses import dataclass, replace
from typing import Any, Iterator, List, Optional, Sequence, Set, Tuple

from ...grounding.names import find_places
from ..collect import Collector
from ..labels import LabelBook, fold_label
from ..replies import is_abbreviation, says_none
from .json_keys import (
    ALL_NAME_KEYS,
    CONTEXT_KEYS,
    END_KEYS,
    KEY_SOUNDS,
    KEYS,
    LABEL_KEYS,
    LABEL_SOUNDS,
    NAME_KEYS,
    NAME_LIST_KEYS,
    NAME_SOUNDS,
    NO_NAME_KEYS,
    NO_TEXT_KEYS,
    OTHER_END_KEYS,
    OTHER_LABEL_KEYS,
    OTHER_NAME_KEYS,
    OTHER_START_KEYS,
    RANGE_KEYS,
    REMARK_KEYS,
    START_KEYS,
    sounds_like,
)
from .loose_json import Pairs

Member = Tuple[str, str, Any]


@dataclass(frozen=True)
class Claim:
    """A mention as a reply states it.

    label (str): Its label, in the schema.
    name (Optional[str]): Its text.
    start (Optional[int]): Its first character, as claimed.
    end (Optional[int]): One past its last.
    context (Optional[str]): Words around it.
    """

    label: str
    name: Optional[str]
    start: Optional[int] = None
    end: Optional[int] = None
    context: Optional[str] = None


def read_claims(found: Collector, values: Sequence[Any], book: LabelBook) -> List[Claim]:
    """Read the claims of all values of a reply.

    found (Collector): Takes the issues.
    values (Sequence[Any]): Arrays and objects, see `loose_json`.
    book (LabelBook): The labels of the schema.
    RETURNS (List[Claim]): The claims, in the order of the reply.
    """
    reader = _ItemReader(found, book)
    claims: List[Claim] = []
    for value in values:
        if isinstance(value, Pairs):
            found.issue("schema_variant", "an object instead of a list")
        claims.extend(reader.read(value, None))
    return claims


class _ItemReader:
    """Reads items; a label given from outside belongs to a group of names under one key."""

    def __init__(self, found: Collector, book: LabelBook) -> None:
        self.found = found
        self.book = book

    def read(self, value: Any, label: Optional[str]) -> Iterator[Claim]:
        """Yield what an item, or a list of items, claims."""
        if isinstance(value, Pairs) and self._is_trained_context(value):
            yield Claim(value[1][0], value[1][1], context=value[0][1])
        elif isinstance(value, Pairs):
            for item in _split_repeated(value):
                yield from self._read_object(item, label)
        elif isinstance(value, list):
            yield from self._read_list(value, label)
        elif isinstance(value, str):
            yield from self._read_name(value, label)
        else:
            self.found.issue("bad_item", repr(value))

    def _is_trained_context(self, item: Pairs) -> bool:
        """Return whether an item is in the context shape as in training, whatever the label is called."""
        return (len(item) == 2 and item[0][0] == "context" and item[1][0] in self.book.labels
                and isinstance(item[0][1], str) and isinstance(item[1][1], str))

    def _read_list(self, items: List[Any], label: Optional[str]) -> Iterator[Claim]:
        if label is None and len(items) == 2 and all(isinstance(item, str) for item in items):
            first, second = (self.book.find(item)[0] for item in items)
            if (first is None) != (second is None):
                self.found.issue("schema_variant", "a pair")
                yield Claim(first or second or "", items[1] if first else items[0])
                return
        for item in items:
            if isinstance(item, list) and not isinstance(item, Pairs):
                self.found.issue("schema_variant", "a list in the list")
            yield from self.read(item, label)

    def _read_name(self, name: str, label: Optional[str]) -> Iterator[Claim]:
        """Yield a text by itself, clear where the schema has one label."""
        label = label or self.book.only
        if label is None:
            self.found.issue("bad_item", name)
        else:
            self.found.issue("schema_variant", "a text instead of an object")
            yield Claim(label, name)

    def _read_object(self, item: Pairs, label: Optional[str]) -> Iterator[Claim]:
        fields = _Fields(item, self.book, self.found.text)
        if fields.variant:
            self.found.issue("schema_variant", fields.variant)
        labels = fields.labels
        groups = [value for _, value in fields.containers if any(isinstance(part, Pairs) for part in value)]
        if labels and groups and not fields.names and fields.start is None:
            # A label beside a list of items is theirs; what is no label there says what the list is.
            self.found.issue("schema_variant", "a list of items in an item")
            for value in groups:
                yield from self.read(value, self.book.find(labels[0])[0])
        elif labels:
            for written in labels:
                known = self._known(written)
                if known:
                    yield from self._complete(fields, known, fields.names)
        elif fields.label_members:
            for written, value in fields.label_members:
                yield from self._read_label_member(fields, written, value)
        elif label or (self.book.only and fields.names):
            self.found.issue("schema_variant", "no label")
            yield from self._complete(fields, label or self.book.only or "", fields.names)
        elif fields.mapping:
            self.found.issue("schema_variant", "text to label")
            for name, written in fields.mapping:
                known = self._known(written)
                if known:
                    yield Claim(known, name)
        elif fields.containers:
            self.found.issue("schema_variant", fields.containers[0][0])
            for _, value in fields.containers:
                yield from self.read(value, label)
        elif item:
            self._refuse(fields)

    def _known(self, written: str) -> Optional[str]:
        """Return the schema's label, None where it has no such one."""
        label, exact = self.book.find(written)
        if label is None:
            self.found.issue("unknown_label", written)
        elif not exact:
            self.found.issue("label_normalised", written)
        return label

    def _complete(self, fields: "_Fields", label: str, names: Sequence[str]) -> Iterator[Claim]:
        """Yield one claim a name; one without a name where there are offsets only."""
        claim = Claim(label, None, fields.start, fields.end, fields.context)
        if not names:
            if claim.start is None:
                self.found.issue("bad_item", label)
            else:
                yield claim
        for name in names:
            yield replace(claim, name=name) if len(names) == 1 else Claim(label, name, context=claim.context)

    def _read_label_member(self, fields: "_Fields", written: str, value: Any) -> Iterator[Claim]:
        """Yield what stands under a label used as key: a text, or a list of texts or items."""
        label = self._known(written)
        if label is None:
            return
        if isinstance(value, list) and not isinstance(value, Pairs):
            self.found.issue("schema_variant", "a list under a label")
            texts = [item for item in value if isinstance(item, str) and not self._says_none(item)]
            for text in texts:
                yield Claim(label, text, context=fields.context)
            for item in value:
                if not isinstance(item, str):
                    yield from self.read(item, label)
        elif isinstance(value, Pairs):
            yield from self.read(value, label)
        elif isinstance(value, str) and (fields.context is not None or not self._says_none(value)):
            if fields.context is None and fields.start is None:
                self.found.issue("schema_variant", "label as key without context")
            yield Claim(label, value, fields.start, fields.end, fields.context)
        elif value is not None and not isinstance(value, str):
            self.found.issue("bad_item", written)

    def _says_none(self, value: str) -> bool:
        return says_none(value) and not is_abbreviation(value, self.found.text)

    def _refuse(self, fields: "_Fields") -> None:
        """Note an item without a label, or with one that is not in the schema as its key."""
        if len(fields.others) == 1 and not fields.names:
            self.found.issue("unknown_label", fields.others[0])
        else:
            self.found.issue("bad_item", ", ".join(key for key, _ in fields.item))


class _Fields:
    """The members of an item by their part in it.

    item (Pairs): The item.
    book (LabelBook): The labels of the schema.
    text (str): The source text, which tells a mention from a remark.
    """

    def __init__(self, item: Pairs, book: LabelBook, text: str) -> None:
        self.item = item
        self.book = book
        self.text = text
        self.variant = ""
        members = [(fold_label(key), key, value) for key, value in item]
        contexts = [value for key, _, value in members if key in CONTEXT_KEYS and isinstance(value, str)]
        self.context = contexts[0] if contexts else None
        self.label_members = [(key, value) for key, value in item if book.find(key)[0] is not None]
        self._label_key = ""
        self.labels = self._find_labels(members)
        self.names = self._find_names(members)
        self.start, self.end = self._find_offsets(members)
        self.mapping = self._find_mapping(members)
        self.containers = [(key, value) for key, value in item if isinstance(value, list)
                           and fold_label(key) not in REMARK_KEYS and not _is_numbers(value)]
        self.others = [key for key, value in item if isinstance(value, str) and fold_label(key) not in KEYS]

    def _find_labels(self, members: Sequence[Member]) -> List[str]:
        """Return the labels as written, those of the schema where several keys could hold one."""
        unknown: List[str] = []
        for keys in (LABEL_KEYS, OTHER_LABEL_KEYS):
            texts = [value for key, _, value in members if key in keys and isinstance(value, str) and value.strip()]
            lists = [value for key, _, value in members if key in keys and _is_texts(value)]
            if texts or lists:
                known = [text for text in texts if self.book.find(text)[0] is not None]
                if keys is OTHER_LABEL_KEYS or lists:
                    self.variant = "label"
                if known or lists:
                    return known[:1] or lists[0]
                unknown = unknown or texts[:1]
        return self._find_labels_anywhere(members) or unknown

    def _find_labels_anywhere(self, members: Sequence[Member]) -> List[str]:
        """Return the label under whatever other key, where one member holds a label of the schema."""
        if any(isinstance(value, (str, list)) for _, value in self.label_members) or self._find_mapping(members):
            return []
        holding = [(key, raw, value) for key, raw, value in members if isinstance(value, str)
                   and key not in CONTEXT_KEYS and key not in REMARK_KEYS and self.book.find(value)[0] is not None]
        others = [value for key, _, value in members if value not in (None, "", [], Pairs())
                  and key not in CONTEXT_KEYS and key not in REMARK_KEYS]
        if not holding or len(others) < 2:
            return []
        if len(holding) == len(others) and not any(sounds_like(key, LABEL_SOUNDS) for key, _, _ in holding):
            return []
        best = min(holding, key=lambda member: (not sounds_like(member[0], LABEL_SOUNDS), member[0] in ALL_NAME_KEYS,
                                                not self.book.find(member[2])[1]))
        self.variant = "label"
        self._label_key = best[1]
        return [best[2]]

    def _find_mapping(self, members: Sequence[Member]) -> List[Tuple[str, str]]:
        """Find texts as keys with labels as values.

        RETURNS (List[Tuple[str, str]]): Text and label, where the object holds nothing else; a key that says what its
            value is, is no text. Most of the keys stand in the source, or all where a value is no label of the schema.
        """
        if not all(isinstance(value, str) and key not in NO_TEXT_KEYS
                   and not sounds_like(key, KEY_SOUNDS, begins=False) for key, _, value in members):
            return []
        known = sum(self.book.find(value)[0] is not None for _, _, value in members)
        places = [find_places(self.text, raw) for _, raw, _ in members]
        there = sum(map(bool, places))
        if known == len(members):
            is_mapping = 2 * there > len(members)
        else:
            is_mapping = bool(known) and all(found and found[0].exact and found[0].bounded for found in places)
        return [(raw, value) for _, raw, value in members] if is_mapping else []

    def _find_names(self, members: Sequence[Member]) -> List[str]:
        """Return the text of the mention, several where a list of texts is given."""
        for keys in (NAME_KEYS, OTHER_NAME_KEYS):
            for key, raw, value in members:
                if key not in keys or value is None or isinstance(value, bool) or raw == self._label_key:
                    continue
                if isinstance(value, (int, float)):
                    self.variant = self.variant or "a number as text"
                    return [str(value)]
                if isinstance(value, str):
                    if keys is OTHER_NAME_KEYS:
                        self.variant = self.variant or key
                    if find_places(self.text, value.strip()):
                        return [value]
                    return self._find_other_name(members, instead_of=raw) or [value]
                if _is_texts(value):
                    self.variant = self.variant or "several texts"
                    return list(value)
        if not self.labels:
            return []
        lists = [(raw, value) for key, raw, value in members if key in NAME_LIST_KEYS and _is_texts(value)]
        if len(lists) == 1:
            self.variant = self.variant or lists[0][0]
            return list(lists[0][1])
        return self._find_other_name(members)

    def _find_other_name(self, members: Sequence[Member], *, instead_of: str = "") -> List[str]:
        """Find the text of the mention under a key that is not known for it.

        instead_of (str): The key of a text that is not in the source, which another one may be the original of.
        RETURNS (List[str]): The only text that there is, or the only one in the source; never a remark or the source.
        """
        longest = max(len(self.text) // 2, _SHORT)
        texts = [(key, value) for key, raw, value in members if isinstance(value, str) and value.strip()
                 and raw not in (instead_of, self._label_key) and key not in NO_NAME_KEYS and len(value) <= longest
                 and not _WRITTEN_NUMBER.fullmatch(value)]
        there = [(key, value) for key, value in texts if find_places(self.text, value.strip())]
        sounding = [(key, value) for key, value in there if sounds_like(key, NAME_SOUNDS)]
        for chosen in (sounding,) if instead_of else (sounding, there, texts):
            values = list(dict.fromkeys(value for _, value in chosen))
            if len(values) == 1:
                self.variant = self.variant or chosen[0][0]
                return values
            if values:
                break
        return []

    def _find_offsets(self, members: Sequence[Member]) -> Tuple[Optional[int], Optional[int]]:
        """Return the start and end as claimed."""
        for key, _, value in members:
            if key in RANGE_KEYS and isinstance(value, list) and len(value) == 2:
                start, end = (_whole_number(item) for item in value)
                if start is not None and end is not None:
                    self.variant = self.variant or key
                    return start, end
        start = self._find_number(members, START_KEYS, OTHER_START_KEYS)
        return start, (self._find_number(members, END_KEYS, OTHER_END_KEYS) if start is not None else None)

    def _find_number(self, members: Sequence[Member], keys: Sequence[str], others: Sequence[str],
                     ) -> Optional[int]:
        for key, _, value in members:
            if key in keys or key in others:
                number = _whole_number(value)
                if number is not None:
                    if key in others or not isinstance(value, int):
                        self.variant = self.variant or key
                    return number
        return None


# A text of so many characters may be a mention, however short the source.
_SHORT = 40
_WRITTEN_NUMBER = re.compile(r"\s*-?\d{1,11}\s*", re.ASCII)


def _split_repeated(item: Pairs) -> Iterator[Pairs]:
    """Yield the items of an object whose keys come round again, as between items a brace was forgotten."""
    part = Pairs()
    seen: Set[str] = set()
    for key, value in item:
        if key in seen:
            yield part
            part, seen = Pairs(), set()
        part.append((key, value))
        seen.add(key)
    yield part


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, (int, float)) for item in value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _whole_number(value: Any) -> Optional[int]:
    """Return an offset, also where it is written as a string or with a decimal point."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _WRITTEN_NUMBER.fullmatch(value):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value == value and abs(value) < 1e12 and value == int(value):
        return int(value)
    return None
