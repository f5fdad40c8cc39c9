"""Instruction records: gold annotation as prompt and answer, by the same prompt builder as annotation."""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation
from ..codecs.base import Codec, Piece
from ..corpus.leakage import KnownTexts, refuse_known
from ..corpus.sampling import check_split
from ..corpus.sentences import split_sentences
from ..errors import BionerError, Errors
from ..formats.jsonl import read_jsonl
from ..llm.local.tokenization import encode_each, encode_prompt, end_id
from ..prompts.build import PromptBuilder
from .pairs import Pair

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Corpus:
    """A set of gold annotations with what its prompts say of it.

    annotations (Tuple[Annotation, ...]): Texts with their mentions, texts without any among them.
    labels (Mapping[str, str]): Label to definition.
    name (str): Name of the corpus in the prompt.
    lang (str): Language.
    """

    annotations: Tuple[Annotation, ...]
    labels: Mapping[str, str]
    name: str = ""
    lang: str = "en"


@dataclass(frozen=True)
class InstructionRecord:
    """One question and what to answer.

    annotation (Annotation): The text with the mentions that the answer tells.
    builder (PromptBuilder): Renders the prompt; knows labels, corpus and codec.
    group (str): The corpus, told from another one of its name by all its labels.
    """

    annotation: Annotation
    builder: PromptBuilder
    group: str = ""

    @property
    def pieces(self) -> Tuple[Piece, ...]:
        """Return the answer."""
        return self.builder.codec.pieces(self.annotation, list(self.builder.labels))


# Says for each answer token whether it counts, by the pieces of the answer and the number of tokens of each.
Count = Callable[[InstructionRecord, Sequence[Piece], Sequence[int]], List[bool]]


@dataclass
class Losses:
    """What could not be taken over into records; counted, since nothing is dropped silently.

    unwritable (Dict[str, int]): Label to mentions that the codec cannot write.
    """

    unwritable: Counter = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return one line that says what was left out."""
        counts = ", ".join(f"{label} {count}" for label, count in sorted(self.unwritable.items()))
        return f"The codec cannot write {sum(self.unwritable.values())} mentions, left out: {counts}"


def read_corpus(path: Path, *, labels: Mapping[str, str], name: str = "", lang: str = "en",
                unit: str = "record", held_out: Sequence[Path] = ()) -> Corpus:
    """Read and check the gold annotations that a model is trained on.

    path (Path): Records of the train split.
    labels (Mapping[str, str]): Label to definition; each label needs one.
    name (str): Name of the corpus in the prompt.
    lang (str): Language.
    unit (str): "record" takes records as they are, "sentence" cuts them into sentences.
    held_out (Sequence[Path]): Files of dev and test records, which must not be among them.
    RETURNS (Corpus): The annotations.
    RAISES BionerError: E008, E009, E014, E015 or E305 for a file without records, another split, an unknown label, a
        held-out text, a label without definition.
    """
    for label, definition in labels.items():
        if not definition:
            raise BionerError(Errors.E305.format(label=label))
    known = KnownTexts(held_out, read_jsonl)
    annotations: List[Annotation] = []
    checked = (_check_split_and_labels(annotation, path, labels, split="train") for annotation in read_jsonl(path))
    for annotation in refuse_known(checked, known):
        annotations += split_sentences(annotation, lang) if unit == "sentence" else [annotation]
    if not annotations:
        raise BionerError(Errors.E008.format(path=path))
    return Corpus(tuple(annotations), dict(labels), name, lang)


def read_dev(path: Path, *, labels: Mapping[str, str], lang: str = "en", unit: str = "record") -> List[Annotation]:
    """Read and check the gold annotations that a training is scored on, cut as those that are trained on.

    path (Path): Records of dev.
    labels (Mapping[str, str]): Label to definition.
    lang (str): Language.
    unit (str): See `read_corpus`.
    RETURNS (List[Annotation]): The annotations.
    RAISES BionerError: E008, E009 or E014 for a file without records, another split, an unknown label.
    """
    annotations: List[Annotation] = []
    for annotation in read_jsonl(path):
        _check_split_and_labels(annotation, path, labels, split="dev")
        annotations += split_sentences(annotation, lang) if unit == "sentence" else [annotation]
    if not annotations:
        raise BionerError(Errors.E008.format(path=path))
    return annotations


def _check_split_and_labels(annotation: Annotation, path: Path, labels: Mapping[str, str], *,
                            split: str) -> Annotation:
    """Return the same; raises BionerError E009 or E014 for another split or an unknown label."""
    check_split(annotation, split)
    for mention in annotation.mentions:
        if mention.label not in labels:
            raise BionerError(Errors.E014.format(path=path, id=annotation.id, label=mention.label, schema="the schema",
                                                 known=", ".join(labels)))
    return annotation


def make_records(corpus: Corpus, *, codec: Codec, template: str, instruction: str = "all",
                 losses: Losses) -> Iterator[InstructionRecord]:
    """Write a corpus as questions and answers.

    corpus (Corpus): The annotations.
    codec (Codec): Format of the answers.
    template (str): Prompt template; "auto" for that of the language.
    instruction (str): "all" asks for all labels at once, "each" for one label at a time.
    losses (Losses): Takes note of mentions that the codec cannot write.
    YIELDS (InstructionRecord): Records in the order of the corpus, those without mentions too.
    """
    builders = make_builders(corpus, codec=codec, template=template, instruction=instruction)
    group = "/".join([corpus.name, *corpus.labels])
    for annotation in corpus.annotations:
        for builder in builders:
            asked = [mention for mention in annotation.mentions if mention.label in builder.labels]
            part = replace(annotation, mentions=tuple(asked))
            dropped = set(codec.unwritable(part))
            if dropped:
                losses.unwritable.update(mention.label for mention in dropped)
                part = replace(part, mentions=tuple(mention for mention in asked if mention not in dropped))
            yield InstructionRecord(part, builder, group)


def make_builders(corpus: Corpus, *, codec: Codec, template: str, instruction: str = "all") -> List[PromptBuilder]:
    """Return the builder of a corpus, or one a label, each naming corpus and definitions."""
    template = f"annotate.{'zh' if corpus.lang == 'zh' else 'en'}" if template == "auto" else template
    sets = [{label: corpus.labels[label]} for label in corpus.labels] if instruction == "each" else [corpus.labels]
    return [PromptBuilder(template=template, labels=labels, codec=codec, corpus=corpus.name, lang=corpus.lang)
            for labels in sets]


def encode_record(record: InstructionRecord, tokenizer: "PreTrainedTokenizerBase", *, chat: bool = False,
                  count: Optional[Count] = None) -> Pair:
    """Tokenise a record for training.

    record (InstructionRecord): The record.
    tokenizer (PreTrainedTokenizerBase): The tokenizer of the model.
    chat (bool): Whether to wrap the prompt into chat markup.
    count (Optional[Count]): Says which answer tokens the loss counts; None counts all.
    RETURNS (Pair): Prompt and answer, the token that ends it included.
    """
    pieces = record.pieces
    cut = encode_each(tokenizer, [piece.text for piece in pieces])
    answer = [token for ids in cut for token in ids]
    counted = None if count is None else (*count(record, pieces, [len(ids) for ids in cut]), True)
    builder = record.builder
    return Pair(tuple(encode_prompt(tokenizer, builder.render(record.annotation.text), chat=chat)),
                (*answer, end_id(tokenizer)), counted, name=record.annotation.id,
                group=record.group, lang=builder.lang, question="/".join([builder.corpus, *builder.labels]))


def count_decisions(record: InstructionRecord, pieces: Sequence[Piece], sizes: Sequence[int]) -> List[bool]:
    """Count what grounded decoding decides on: every mark, and of copied units the first token, where a mark might
    have stood.

    RETURNS (List[bool]): For each answer token whether it counts.
    """
    return [piece.kind != "copy" or place == 0 for piece, size in zip(pieces, sizes) for place in range(size)]


def count_mentions(record: InstructionRecord, pieces: Sequence[Piece], sizes: Sequence[int]) -> List[bool]:
    """Count the tokens that spell mentions, and neither the format nor the text between them.

    RETURNS (List[bool]): For each answer token whether it counts.
    """
    mentions = record.annotation.mentions
    # Bracket lines copy the text once for each label: there a name counts in the line of its own label only.
    has_lines = record.builder.codec.name == "bracket"
    line: Optional[str] = None
    inside = []
    for piece in pieces:
        line = piece.text if has_lines and piece.kind == "label" else line
        inside.append(piece.kind == "copy" and any(mention.start < (piece.end or 0) and (piece.start or 0) < mention.end
                                                   and line in (None, mention.label) for mention in mentions))
    return [counts for counts, size in zip(inside, sizes) for _ in range(size)]


def count_tokens(pairs: Iterable[Pair]) -> Dict[str, int]:
    """Return records, prompt and answer tokens, and the longest record of them."""
    pairs = list(pairs)
    return {"records": len(pairs), "prompt_tokens": sum(len(pair.prompt) for pair in pairs),
            "answer_tokens": sum(len(pair.answer) for pair in pairs),
            "longest": max((pair.length for pair in pairs), default=0)}
