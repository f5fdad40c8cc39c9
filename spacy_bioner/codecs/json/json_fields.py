"""The members of an object in a reply by their part in it: label, text, offsets, context, remark."""

import re
from typing import Any, List, Optional, Sequence, Tuple

from ...grounding.names import NamePlace, find_places
from ..labels import LabelBook, fold_label
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

# A text of so many characters may be a mention, however short the source.
_SHORT = 40
_WRITTEN_NUMBER = re.compile(r"\s*-?\d{1,11}\s*", re.ASCII)


class Fields:
    """The members of an item by their part in it.

    item (Pairs): The item.
    book (LabelBook): The labels of the schema.
    text (str): The source text, which tells a mention from a remark.
    listed (bool): Whether it is one of several items; an object by itself may also be the whole answer.
    """

    def __init__(self, item: Pairs, book: LabelBook, text: str, *, listed: bool = False) -> None:
        self.item = item
        self.book = book
        self.text = text
        self.listed = listed
        self.variant = ""
        members = [(fold_label(key), key, value) for key, value in item]
        contexts = [value for key, _, value in members if key in CONTEXT_KEYS and isinstance(value, str)]
        self.context = contexts[0] if contexts else None
        named = self._has_other_name(members)
        self.label_members = [(key, value) for key, value in item if book.find(key)[0] is not None
                              and not (named and isinstance(value, str) and book.find(value)[0] is not None)]
        self._label_key = ""
        self.labels = self._find_labels(members)
        self.names = self._find_names(members)
        self.start, self.end = self._find_offsets(members)
        self.mapping = self._find_mapping(members)
        self.containers = [(key, value) for key, value in item if isinstance(value, list)
                           and fold_label(key) not in REMARK_KEYS and not _is_numbers(value)]
        self.others = [key for key, value in item if isinstance(value, str) and fold_label(key) not in KEYS]

    def _has_other_name(self, members: Sequence[Member]) -> bool:
        """Return whether a key that is no label says that a mention stands under it, and its text is in the source."""
        return any((key in ALL_NAME_KEYS or sounds_like(key, NAME_SOUNDS)) and self.book.find(raw)[0] is None
                   and self._may_be_name(key, value) and bool(find_places(self.text, value.strip()))
                   for key, raw, value in members)

    def _may_be_name(self, key: str, value: Any) -> bool:
        """Return whether a member is a text that is neither a remark nor the source."""
        return (isinstance(value, str) and bool(value.strip()) and key not in NO_NAME_KEYS
                and len(value) <= max(len(self.text) // 2, _SHORT) and not _WRITTEN_NUMBER.fullmatch(value))

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
            value is, is no text. Most of the keys stand in the source, or all where a value is no label of the schema;
            of a listed item such a value that stands in the source too is rather the text.
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
            others = [value for _, _, value in members if self.book.find(value)[0] is None] if self.listed else []
            is_mapping = (bool(known) and all(map(_is_sure, places))
                          and not any(_is_sure(find_places(self.text, value)) for value in others))
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
        texts = [(key, value) for key, raw, value in members
                 if raw not in (instead_of, self._label_key) and self._may_be_name(key, value)]
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


def _is_sure(places: Sequence[NamePlace]) -> bool:
    return bool(places) and places[0].exact and places[0].bounded


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
