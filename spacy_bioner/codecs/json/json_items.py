"""From JSON values to claims: what a reply says that there is, in whatever shape it says so."""

from dataclasses import dataclass, replace
from typing import Any, Iterator, List, Optional, Sequence, Set

from ..collect import Collector
from ..labels import LabelBook
from ..replies import is_abbreviation, says_none
from .json_fields import Fields
from .loose_json import Pairs


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
        claims.extend(reader.read(value, None, listed=len(values) > 1))
    return claims


class _ItemReader:
    """Reads items; a label given from outside belongs to a group of names under one key."""

    def __init__(self, found: Collector, book: LabelBook) -> None:
        self.found = found
        self.book = book

    def read(self, value: Any, label: Optional[str], *, listed: bool = False) -> Iterator[Claim]:
        """Yield what an item, or a list of items, claims; listed says that the item is one of several."""
        if isinstance(value, Pairs) and self._is_trained_context(value):
            yield Claim(value[1][0], value[1][1], context=value[0][1])
        elif isinstance(value, Pairs):
            parts = list(_split_repeated(value))
            for item in parts:
                yield from self._read_object(item, label, listed=listed or len(parts) > 1)
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
            yield from self.read(item, label, listed=True)

    def _read_name(self, name: str, label: Optional[str]) -> Iterator[Claim]:
        """Yield a text by itself, clear where the schema has one label."""
        label = label or self.book.only
        if label is None:
            self.found.issue("bad_item", name)
        else:
            self.found.issue("schema_variant", "a text instead of an object")
            yield Claim(label, name)

    def _read_object(self, item: Pairs, label: Optional[str], *, listed: bool) -> Iterator[Claim]:
        fields = Fields(item, self.book, self.found.text, listed=listed)
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

    def _complete(self, fields: "Fields", label: str, names: Sequence[str]) -> Iterator[Claim]:
        """Yield one claim a name; one without a name where there are offsets only."""
        claim = Claim(label, None, fields.start, fields.end, fields.context)
        if not names:
            if claim.start is None:
                self.found.issue("bad_item", label)
            else:
                yield claim
        for name in names:
            yield replace(claim, name=name) if len(names) == 1 else Claim(label, name, context=claim.context)

    def _read_label_member(self, fields: "Fields", written: str, value: Any) -> Iterator[Claim]:
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

    def _refuse(self, fields: "Fields") -> None:
        """Note an item without a label, or with one that is not in the schema as its key."""
        if len(fields.others) == 1 and not fields.names:
            self.found.issue("unknown_label", fields.others[0])
        else:
            self.found.issue("bad_item", ", ".join(key for key, _ in fields.item))


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
