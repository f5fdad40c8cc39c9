"""Makes a linker: gathers its dictionary, chooses its threshold on dev, and writes it as a pipeline."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Set, Tuple

import numpy
import spacy

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..formats import read_annotations
from ..formats.parsing.problems import Problems
from ..training.spacy_training import describe_file, write_card
from .concept_linker import ConceptLinker
from .concept_sources import read_concept_names

_TOKENIZER = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}}


@dataclass(frozen=True)
class LinkScores:
    """How well mentions are linked; a mention is right where all its identifiers are, and no others.

    right (int): Mentions linked to the identifiers of gold.
    linked (int): Mentions that were linked.
    wanted (int): Mentions that have identifiers in gold.
    """

    right: int
    linked: int
    wanted: int

    @property
    def f1(self) -> float:
        """Return the harmonic mean of right / linked and right / wanted, 0 where there is nothing."""
        return 2 * self.right / (self.linked + self.wanted) if self.linked + self.wanted else 0.0


def make_linker(sources: Sequence[Tuple[Path, str]], output: Path, *, dev: Optional[Path] = None, lang: str = "en",
                problems: Problems) -> Dict[str, Any]:
    """Make a linker from files.

    sources (Sequence[Tuple[Path, str]]): Each file, and the label of the mentions that its names stand for, or "".
    output (Path): Folder for the pipeline.
    dev (Optional[Path]): Annotated texts with identifiers; the threshold is chosen on them.
    lang (str): Language of the pipeline.
    problems (Problems): Takes note of identifiers of unknown vocabularies, and of what readers leave out.
    RETURNS (Dict[str, Any]): The card: sources, names, concepts, dev and tuned.
    RAISES BionerError: E801 for an empty source, E802 where dev and dictionary have no vocabulary in common.
    """
    nlp = spacy.blank(lang, config=_TOKENIZER)
    linker = ConceptLinker()
    linker.add_concepts(name for path, label in sources
                        for name in read_concept_names(path, label=label, problems=problems))
    names = linker.dictionary.names
    card: Dict[str, Any] = {"sources": {path.name: describe_file(path) for path, _ in sources}, "names": len(names),
                            "concepts": len({id for name in names for id in name.ids})}
    if dev is not None:
        tuned = tune_linker(linker, list(read_annotations(dev, problems=problems)), path=dev)
        card.update(dev=describe_file(dev), tuned=tuned)
    # It is made with the threshold that was chosen: another one in the config of a pipeline that has it is an override.
    made: Any = nlp.add_pipe("concept_linker", config={"threshold": linker.cfg["threshold"]})
    made.dictionary = linker.dictionary
    nlp.to_disk(output)
    return write_card(output, "Links mentions to concepts.", card)


def tune_linker(linker: ConceptLinker, annotations: Sequence[Annotation], *, path: Path) -> Dict[str, float]:
    """Choose the threshold with the best F1 of links over gold mentions, and use it from now on.

    linker (ConceptLinker): The linker.
    annotations (Sequence[Annotation]): Dev texts, whose mentions have identifiers.
    path (Path): Where they were read, for the error.
    RETURNS (Dict[str, float]): threshold, and dev_f in percent at it.
    RAISES BionerError: E802 where no identifier of dev is of a vocabulary of the dictionary.
    """
    known = {_vocabulary(id) for name in linker.dictionary.names for id in name.ids}
    wanted = {_vocabulary(id) for annotation in annotations for mention in annotation.mentions for id in mention.ids}
    if not known & wanted:
        raise BionerError(Errors.E802.format(path=path, found=", ".join(sorted(wanted)) or "none",
                                             known=", ".join(sorted(known))))
    scores, right, gold = [], [], 0
    for annotation in annotations:
        found = linker.find(annotation.text, [mention.key for mention in annotation.mentions])
        for mention, links in zip(annotation.mentions, found):
            gold += bool(mention.ids)
            scores.append(links[0].score if links else 0.0)
            right.append(bool(links) and set(links[0].ids) == set(mention.ids))
    values, correct = numpy.asarray(scores), numpy.asarray(right)
    # Half-way between two scores, so that rounding of a score in the file changes nothing.
    limits = numpy.unique(values[values > 0])
    limits = numpy.concatenate([limits[:1] / 2, (limits[1:] + limits[:-1]) / 2])
    best = max(limits, key=lambda limit: LinkScores(int(correct[values >= limit].sum()), int((values >= limit).sum()),
                                                    gold).f1, default=0.0)
    linker.cfg["threshold"] = round(float(best), 4)
    kept = values >= linker.cfg["threshold"]
    reached = LinkScores(int(correct[kept].sum()), int(kept.sum()), gold)
    return {"threshold": linker.cfg["threshold"], "dev_f": round(100 * reached.f1, 2)}


def score_links(gold: Annotation, predicted: Annotation) -> LinkScores:
    """Count the links of a document.

    gold (Annotation): The text with its true mentions and identifiers.
    predicted (Annotation): The same text with what was found; a link counts where start, end and label are right too.
    RETURNS (LinkScores): The counts.
    """
    wanted: Mapping[Any, Set[str]] = {mention.key: set(mention.ids) for mention in gold.mentions if mention.ids}
    linked = [mention for mention in predicted.mentions if mention.ids]
    right = sum(wanted.get(mention.key) == set(mention.ids) for mention in linked)
    return LinkScores(right, len(linked), len(wanted))


def _vocabulary(identifier: str) -> str:
    return identifier.partition(":")[0] if ":" in identifier else "no vocabulary"
