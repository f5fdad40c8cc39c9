"""The linker: gives the mentions that other components found the identifiers of the concepts that they name."""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Tuple

import srsly
from spacy import util
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from ..errors import BionerError, Errors
from ..loading import read_json
from ..settings import Settings, default_values, setting, store_values, take_stored, takes_settings
from .abbreviations import find_abbreviations
from .concept_dictionary import ConceptDictionary, ConceptName, Link

# Names whose meanings are kept in memory; one that comes again is not looked up again.
_MOST_KNOWN = 20_000
_DETAILS = "details"


class ConceptLinkerSettings(Settings):
    """The component `concept_linker`."""

    spans_key: str = setting("sc", "Key of the span group whose spans are linked.")
    threshold: float = setting(
        0.5, "Least score of a link; a mention without one gets no identifier. `train linker` chooses it on dev.",
        ge=0, le=1)
    alternatives: int = setting(5, "How many meanings of a mention are kept beside it, the chosen one first.", ge=1)


@Language.factory("concept_linker", requires=["doc.spans"], assigns=["doc.spans"],
                  default_config=default_values(ConceptLinkerSettings))
@takes_settings(ConceptLinkerSettings, place="concept_linker")
def make_concept_linker(nlp: Language, name: str, settings: ConceptLinkerSettings) -> "ConceptLinker":
    """Make the linker, without a dictionary.

    nlp (Language): The pipeline.
    name (str): Name of the component.
    settings (ConceptLinkerSettings): Key, threshold and alternatives.
    """
    return ConceptLinker(name, settings=settings)


class ConceptLinker:
    """Links mentions to concepts by a dictionary.

    name (str): Name of the component.
    settings (ConceptLinkerSettings): Key, threshold and alternatives.
    """

    def __init__(self, name: str = "concept_linker", *, settings: ConceptLinkerSettings = ConceptLinkerSettings()):
        self.name = name
        self.cfg: Dict[str, Any] = settings.values()
        self._made_with = settings.values()
        self.dictionary = ConceptDictionary()
        self._known: Dict[Tuple[str, str], List[Link]] = {}

    def __getstate__(self) -> Dict[str, Any]:
        return {**vars(self), "_known": {}}

    def add_concepts(self, names: Iterable[ConceptName]) -> None:
        """Add names of concepts to the dictionary.

        names (Iterable[ConceptName]): The names.
        """
        self.dictionary = ConceptDictionary([*self.dictionary.names, *names])
        self._known = {}

    def __call__(self, doc: Doc) -> Doc:
        """Link the spans of a Doc. A span that is not linked keeps the identifier that it came with, if it has one.

        doc (Doc): A Doc with the span group; the spans get `kb_id_`, the group `attrs["kb_scores"]` and
            `attrs["kb_alternatives"]`, and in `attrs["details"]` all identifiers of a composite mention.
        RETURNS (Doc): The same.
        RAISES BionerError: E516 where the group is missing, E803 without a dictionary.
        """
        key = self.cfg["spans_key"]
        if key not in doc.spans:
            raise BionerError(Errors.E516.format(name=self.name, key=key, present=", ".join(doc.spans) or "none",
                                                 setting="spans_key"))
        if not len(self.dictionary):
            raise BionerError(Errors.E803.format(name=self.name))
        group = doc.spans[key]
        found = self.find(doc.text, [(span.start_char, span.end_char, span.label_) for span in group])
        chosen = [links[0] if links and links[0].score >= self.cfg["threshold"] else None for links in found]
        spans = [Span(doc, span.start, span.end, label=span.label, kb_id=link.ids[0] if link else span.kb_id,
                      span_id=span.id) for span, link in zip(group, chosen)]
        linked = SpanGroup(doc, name=key, spans=spans, attrs=dict(group.attrs))
        for name, values in (
                ("kb_scores", [links[0].score if links else 0.0 for links in found]),
                ("kb_alternatives", [json.dumps([[list(link.ids), round(link.score, 4)] for link in links])
                                     for links in found])):
            # Of a link that stays, what the linker that made it has noted stays too.
            held = group.attrs.get(name) or ()
            held = held if len(held) == len(group) else values
            linked.attrs[name] = [old if link is None and span.kb_id else new
                                  for span, link, old, new in zip(group, chosen, held, values)]
        linked.attrs[_DETAILS] = list(_add_ids(group, chosen))
        doc.spans[key] = linked
        return doc

    def find(self, text: str, mentions: Iterable[Tuple[int, int, str]]) -> List[List[Link]]:
        """Find what mentions may mean, whatever the threshold.

        text (str): The document.
        mentions (Iterable[Tuple[int, int, str]]): Start, end and label of each, in characters.
        RETURNS (List[List[Link]]): The meanings of each, the likeliest first.
        """
        abbreviations = find_abbreviations(text)
        return [self._look_up(text[start:end], label, abbreviations) for start, end, label in mentions]

    def _look_up(self, name: str, label: str, abbreviations: Dict[str, str]) -> List[Link]:
        most = self.cfg["alternatives"]
        if any(short in name for short in abbreviations):
            return self.dictionary.find(name, label, abbreviations=abbreviations, most=most)
        # Threads may look up the same name twice, and find the same.
        links = self._known.get((name, label))
        if links is None:
            links = self.dictionary.find(name, label, most=most)
            if len(self._known) >= _MOST_KNOWN:
                self._known = {}
            self._known[name, label] = links
        return links

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        """Write settings and dictionary into a folder."""
        util.to_disk(path, {"cfg": lambda path: srsly.write_json(path, store_values(self.cfg, self._made_with)),
                            "concepts": lambda path: srsly.write_json(path, self._rows())}, exclude)

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> "ConceptLinker":
        """Read settings and dictionary from a folder; a setting of the config that was changed since is kept."""
        readers = {"cfg": lambda path: self.cfg.update(take_stored(read_json(path, wanted="settings of a linker"),
                                                                   self._made_with)),
                   "concepts": lambda path: self._set_rows(read_json(path, wanted="a dictionary of concepts"))}
        util.from_disk(path, readers, exclude)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return settings and dictionary."""
        return util.to_bytes({"cfg": lambda: srsly.json_dumps(self.cfg),
                              "concepts": lambda: srsly.json_dumps(self._rows())}, exclude)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "ConceptLinker":
        """Take settings and dictionary from bytes."""
        util.from_bytes(bytes_data, {"cfg": lambda data: self.cfg.update(srsly.json_loads(data)),
                                     "concepts": lambda data: self._set_rows(srsly.json_loads(data))}, exclude)
        return self

    def _rows(self) -> List[Any]:
        return [[one.name, list(one.ids), one.label, one.count] for one in self.dictionary.names]

    def _set_rows(self, rows: List[Any]) -> None:
        self.dictionary = ConceptDictionary(ConceptName(name, tuple(ids), label, count)
                                            for name, ids, label, count in rows)
        self._known = {}


def _add_ids(group: SpanGroup, chosen: Iterable[Any]) -> Iterator[str]:
    """Yield what stands beside each span as JSON, with the identifiers of its link in place of older ones."""
    held = group.attrs.get(_DETAILS) or [""] * len(group)
    for detail, link in zip(held, chosen):
        if link is None:
            yield detail
        else:
            details = {key: value for key, value in (json.loads(detail) if detail else {}).items() if key != "ids"}
            yield json.dumps({"ids": list(link.ids), **details}, ensure_ascii=False)
