"""A queue of sentences to correct: the pool ranked, each sentence with its mentions and with what is suggested."""

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ..annotation import Annotation, Mention, index_records
from ..corpus.leakage import normalise
from ..errors import BionerError, Errors
from .choices import QUEUE, Strategy
from .doubt import average_votes, expected_corrections, suggest
from .ranking import Choice, rank, refuse_certain

# Spans that are less probable are not suggested.
_LEAST_SUGGESTED = 0.1
_HALF = 0.5


@dataclass
class Pool:
    """Sentences that may be corrected, with what annotators say of them.

    source (str): Its name, for errors.
    sentences (List[Annotation]): The sentences; silver ones have mentions.
    teachers (Mapping[str, Mapping[str, Annotation]]): Name of an annotator to what it found, by id.
    found (Mapping[str, Tuple[Annotation, Tuple[Mention, ...]]]): By id what a pipeline finds, and finds nearly.
    """

    source: str
    sentences: List[Annotation]
    teachers: Mapping[str, Mapping[str, Annotation]] = field(default_factory=dict)
    found: Mapping[str, Tuple[Annotation, Tuple[Mention, ...]]] = field(default_factory=dict)

    def voices(self, sentence: Annotation) -> List[Annotation]:
        """Return what each annotator says of a sentence: the pool itself where it has mentions at all, the teachers
        and the pipeline. RAISES BionerError: E914 where a teacher does not know the sentence."""
        said = [sentence] if self.is_silver else []
        for name, annotations in self.teachers.items():
            other = annotations.get(sentence.id)
            if other is None or other.text != sentence.text:
                why = f"by '{name}' " + ("is missing" if other is None else "has another text")
                raise BionerError(Errors.E914.format(id=sentence.id, why=why))
            said.append(other)
        return [*said, self.found[sentence.id][0]] if self.found else said

    @property
    def is_silver(self) -> bool:
        return any(one.mentions for one in self.sentences)


def leave_out_known(sentences: Iterable[Annotation], known: Iterable[Annotation], *, source: str) -> List[Annotation]:
    """Return the sentences that are not corrected yet, by their texts, each text once.

    sentences (Iterable[Annotation]): The pool.
    known (Iterable[Annotation]): What is corrected already.
    source (str): The pool, for errors.
    RETURNS (List[Annotation]): The rest.
    RAISES BionerError: E552 where an id comes twice, E008 where there is no sentence, E903 where nothing is left.
    """
    texts = {normalise(one.text) for one in known}
    given, kept = index_records(sentences, source=source), []
    for one in given.values():
        if normalise(one.text) not in texts:
            texts.add(normalise(one.text))
            kept.append(one)
    if not given:
        raise BionerError(Errors.E008.format(path=source))
    if not kept:
        raise BionerError(Errors.E903.format(source=source, count=len(given)))
    return kept


def make_queue(pool: Pool, count: int, *, strategy: Strategy, seed: int, known: Sequence[Annotation] = (),
               encoder: str) -> List[Annotation]:
    """Choose the sentences to correct next.

    pool (Pool): The sentences and what is said of them.
    count (int): How many.
    strategy (Strategy): What they are chosen by.
    seed (int): Of the random choice.
    known (Sequence[Annotation]): What is corrected already; the chosen ones are to be unlike it.
    encoder (str): The encoder that says what is alike.
    RETURNS (List[Annotation]): The chosen ones, the most useful first, each with mentions to correct, scores, and in
        meta["queue"] strategy, rank, doubt, novelty and suggestions.
    RAISES BionerError: E901 where nothing is in doubt, E902 where disagreement is asked for and nobody disagrees.
    """
    doubts = find_doubts(pool, strategy) if strategy.needs_doubt else None
    vectors = of_known = None
    if strategy.needs_vectors:
        from ..finetuning.selection.diversity import embed_sentences

        vectors = embed_sentences([one.text for one in pool.sentences], encoder=encoder)
        of_known = embed_sentences([one.text for one in known], encoder=encoder) if known else None
    chosen = rank(len(pool.sentences), count, strategy=strategy, seed=seed, doubts=doubts, vectors=vectors,
                  known=of_known)
    return [_to_record(pool, choice, number, strategy) for number, choice in enumerate(chosen, start=1)]


def find_doubts(pool: Pool, strategy: Strategy) -> List[float]:
    """Return the corrections to be expected in each sentence.

    pool (Pool): The sentences.
    strategy (Strategy): Uncertainty and gain ask the pipeline where there is one, gain adds what annotators disagree
        on; without either the scores of the pool count.
    RETURNS (List[float]): One each.
    RAISES BionerError: E901 where nothing is in doubt, E902 where disagreement lacks a second annotator.
    """
    several = len(pool.voices(pool.sentences[0])) > 1
    if strategy is Strategy.disagreement and not several:
        raise BionerError(Errors.E902.format(found="only one" if pool.found or pool.is_silver else "none"))
    doubts = []
    for sentence in pool.sentences:
        doubt = 0.0
        if strategy is not Strategy.disagreement and pool.found:
            doubt += expected_corrections((*pool.found[sentence.id][0].mentions, *pool.found[sentence.id][1]))
        if several and (strategy is not Strategy.uncertainty or not pool.found):
            doubt += expected_corrections(average_votes(pool.voices(sentence)))
        elif not pool.found:
            doubt += expected_corrections(sentence.mentions)
        doubts.append(doubt)
    refuse_certain(doubts, source=pool.source)
    return doubts


def _to_record(pool: Pool, choice: Choice, number: int, strategy: Strategy) -> Annotation:
    sentence = pool.sentences[choice.row]
    shown, nearly = _propose(pool, sentence)
    why: Dict[str, Any] = {"strategy": strategy.value, "rank": number, "doubt": round(choice.doubt, 4),
                           "novelty": round(choice.novelty, 4),
                           "suggestions": suggest(nearly, least=_LEAST_SUGGESTED)}
    if not strategy.needs_doubt:
        why["doubt"] = round(expected_corrections((*shown, *nearly)), 4)
    return replace(sentence.with_mentions(shown), meta={**sentence.meta, QUEUE: why})


def _propose(pool: Pool, sentence: Annotation) -> Tuple[Sequence[Mention], Sequence[Mention]]:
    """Return the mentions that are given out to be corrected, and those that are suggested: what the pipeline says,
    else what most annotators say, else what the pool says."""
    if pool.found:
        found, nearly = pool.found[sentence.id]
        return found.mentions, nearly
    voices = pool.voices(sentence)
    if len(voices) < 2:
        return sentence.mentions, ()
    votes = average_votes(voices)
    return ([one for one in votes if (one.score or 0.0) >= _HALF],
            [one for one in votes if (one.score or 0.0) < _HALF])
