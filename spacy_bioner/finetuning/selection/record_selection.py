"""Select gold records: score them by a small model and write the chosen ones with their scores."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, FrozenSet, List, Optional, Sequence, Tuple

from ...annotation import Annotation
from ...codecs.base import Codec
from ...extras import extra
from ...files import open_atomic, write_json, write_json_lines
from ...formats.jsonl import write_jsonl
from ...llm.local.passes.batch_sizes import batch_sizes
from ..pairs import Pair
from ..records import Corpus, Losses, count_mentions, encode_record, make_records
from .ifd import AnswerLosses, ifd, score_pairs, start_id
from .score_file import ScoreFile, score_key
from .superfiltering import Diversify, Selection, select_records, tabulate

if TYPE_CHECKING:
    from ...llm.local.causal_lm import CausalLM

Step = Callable[[], None]


@dataclass(frozen=True)
class Scoring:
    """How answers are scored.

    codec (Codec): Format of the scored answers, whatever format is trained on.
    template (str): Prompt template, "auto" for that of the language.
    chat (bool): Whether prompts are wrapped into chat markup.
    tokens (str): "answer" scores all tokens of the answer, "mentions" only those that spell mentions.
    ratio (str): "perplexity" or "loss", see `ifd.ifd`.
    max_length (int): Records with more tokens are not scored and left out; the context of the model is a limit too.
    max_batch_tokens (Optional[int]): Tokens of a forward pass, padding included; None takes what suits the device.
    """

    codec: Codec
    template: str = "auto"
    chat: bool = False
    tokens: str = "answer"
    ratio: str = "perplexity"
    max_length: int = 1024
    max_batch_tokens: Optional[int] = None


@dataclass(frozen=True)
class Scores:
    """Scores of a corpus, by place.

    losses (List[Optional[AnswerLosses]]): None for a record that is too long, or whose score does not count.
    too_long (FrozenSet[int]): Places of the records over the length.
    """

    losses: List[Optional[AnswerLosses]]
    too_long: FrozenSet[int]


@dataclass(frozen=True)
class Selected:
    """The outcome of a selection.

    chosen (int): Records written.
    total (int): Records that there were.
    table (Dict[str, Dict[str, int]]): Fate of the records by label, see `selection.tabulate`.
    unscored (Losses): Mentions that the codec cannot write, which no score counts.
    """

    chosen: int
    total: int
    table: Dict[str, Dict[str, int]]
    unscored: Losses


def score_corpus(corpus: Corpus, lm: "CausalLM", scoring: Scoring, scores: ScoreFile, *, unscored: Losses,
                 negatives: bool = True, step: Step = lambda: None) -> Scores:
    """Score the records of a corpus; what the file of scores holds is not computed again.

    corpus (Corpus): The gold records.
    lm (CausalLM): The weak model.
    scoring (Scoring): How.
    scores (ScoreFile): Scores from before; new ones are added to it.
    unscored (Losses): Takes note of mentions that the codec cannot write.
    negatives (bool): Whether records without a mention are scored: it takes as long as for others.
    step (Step): Called once a record.
    RETURNS (Scores): Losses in the order of the corpus.
    """
    count = count_mentions if scoring.tokens == "mentions" else None
    pairs = [_without_end(encode_record(record, lm.tokenizer, chat=scoring.chat, count=count))
             for record in make_records(corpus, codec=scoring.codec, template=scoring.template, losses=unscored)]
    longest = min(scoring.max_length, lm.context_length)
    keys = [score_key(pair, repr(sorted(lm.identity().items()))) for pair in pairs]
    too_long = frozenset(index for index, pair in enumerate(pairs) if pair.length > longest)
    wanted = [index for index, annotation in enumerate(corpus.annotations)
              if index not in too_long and (negatives or annotation.mentions)]
    missing = [index for index in wanted if scores.get(keys[index]) is None]
    for _ in range(len(pairs) - len(missing)):
        step()
    most = scoring.max_batch_tokens or batch_sizes(lm.device.type).training_pass
    for place, losses in score_pairs(lm.model, [pairs[index] for index in missing], start=start_id(lm.tokenizer),
                                     max_batch_tokens=most):
        scores.add(keys[missing[place]], losses)
        step()
    found: List[Optional[AnswerLosses]] = [None] * len(pairs)
    for index in wanted:
        found[index] = scores.get(keys[index])
    return Scores(found, too_long)


def _without_end(pair: Pair) -> Pair:
    """Return the pair without the token that ends the answer, which no answer is hard for."""
    return replace(pair, answer=pair.answer[:-1], counted=None if pair.counted is None else pair.counted[:-1])


def select_data(corpus: Corpus, output: Path, *, scores: Scores, ratio: str,
                settings: Dict[str, Any], unscored: Losses, diversify: Optional[Diversify] = None,
                **choice: Any) -> Selected:
    """Choose records and write them with their scores, a table and a plot beside them.

    corpus (Corpus): The gold records.
    output (Path): Records to write; `<name>.selection.json`, `<name>.ifd.svg` and `<name>.dropped.jsonl` (id, score
        and reason of the others) go beside.
    scores (Scores): See `score_corpus`.
    ratio (str): See `ifd.ifd`.
    settings (Dict[str, Any]): Written into the table.
    unscored (Losses): See `score_corpus`.
    diversify (Optional[Diversify]): See `selection.select_records`.
    choice (Any): The other arguments of `selection.select_records`.
    RETURNS (Selected): What was chosen.
    """
    ratios = [None if item is None else ifd(item, ratio=ratio) for item in scores.losses]
    selection = select_records(corpus.annotations, ratios, too_long=scores.too_long, diversify=diversify, **choice)
    table = tabulate(corpus.annotations, selection)
    write_jsonl(output, (_with_score(corpus.annotations[index], scores.losses[index], ratios[index])
                         for index in selection.chosen))
    stem = output.name.split(".jsonl")[0]
    write_json(output.with_name(f"{stem}.selection.json"),
               {"settings": settings, "records": len(corpus.annotations), "chosen": len(selection.chosen),
                "mentions": sum(len(corpus.annotations[index].mentions) for index in selection.chosen),
                "keep_ratio_is_of": "the ranked records that are below max_ifd", "fate": table,
                "unwritable": dict(unscored.unwritable)})
    write_json_lines(output.with_name(f"{stem}.dropped.jsonl"), (
        {"id": corpus.annotations[index].id, "ifd": None if (dropped := ratios[index]) is None else round(dropped, 6),
         "reason": reason} for index, reason in sorted(selection.dropped.items())))
    _plot(output.with_name(f"{stem}.ifd.svg"), corpus.annotations, ratios, selection, choice.get("max_ifd", 1.0))
    return Selected(len(selection.chosen), len(corpus.annotations), table, unscored)


def _with_score(annotation: Annotation, losses: Optional[AnswerLosses], ratio: Optional[float]) -> Annotation:
    if losses is None or ratio is None:
        return annotation
    return annotation.with_meta(ifd=round(ratio, 6), loss_conditioned=round(losses.conditioned, 6),
                                loss_direct=round(losses.direct, 6))


def _plot(path: Path, records: Sequence[Annotation], ratios: Sequence[Optional[float]], selection: Selection,
          max_ifd: float) -> None:
    """Write the distribution of the scores: positives chosen, positives dropped, negatives."""
    with extra("report"):
        from matplotlib.figure import Figure

    groups: Dict[Tuple[bool, bool], List[float]] = {}
    for index, ratio in enumerate(ratios):
        if ratio is not None:
            groups.setdefault((bool(records[index].mentions), index not in selection.dropped), []).append(ratio)
    names = {(True, True): ("with mentions, chosen", "#08519c"), (True, False): ("with mentions, dropped", "#9ecae1"),
             (False, True): ("without mentions, chosen", "#a63603"),
             (False, False): ("without mentions, dropped", "#fdae6b")}
    shown = [key for key in names if key in groups]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.hist([[min(value, 2.0) for value in groups[key]] for key in shown], bins=40, stacked=True,
              label=[names[key][0] for key in shown], color=[names[key][1] for key in shown])
    axes.axvline(max_ifd, color="black", linewidth=1, linestyle="--")
    axes.set(xlabel="IFD (values above 2 shown at 2)", ylabel="records")
    axes.legend()
    with open_atomic(path, "wb") as file_:
        figure.savefig(file_, format="svg", metadata={"Date": None})
