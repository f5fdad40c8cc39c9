"""Sentences from seeds: asked for, read, checked, repaired, counted.

The modes say what happens to a sentence whose tags are not in order: "repair" tags seeds that stand untagged and widens
tags that cover part of a seed, "filter" does the same but leaves out a sentence with a tag that is no seed (GENLLM's
"+ filter"), "drop" leaves out every such sentence, "keep" takes it as it is, "relabel" repairs it and adds what an
annotator finds beside the seeds.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation, Mention
from ..codecs.seed_checks import check_seeds
from ..codecs.seed_tags import SeedReading, SeedTagCodec
from ..errors import BionerError, Errors
from ..grounding.words import on_boundaries
from ..llm.base import Reply, Request
from ..llm.runner import Runner
from .checks import SentenceChecks
from .plan import PlannedSentence
from .prompts import SeedPrompt
from .seeds import fold_name

MODES = ("repair", "filter", "drop", "keep", "relabel")
Relabel = Callable[[Sequence[Annotation]], Iterable[Annotation]]
_EXAMPLES = 5
_WINDOW = 256
_UNREADABLE = ("truncated", "no_output", "no_wrapper", "tag_mismatch", "unbalanced_marker")
_MENDABLE = {"seed_untagged", "seed_boundary"}
_UNTIDY = {*_MENDABLE, "seed_missing", "new_entity"}
# What leaves a sentence out: a seed that is not in it at all cannot be repaired.
_FATAL = {"repair": {"seed_missing"}, "relabel": {"seed_missing"}, "filter": {"seed_missing", "new_entity"},
          "drop": _UNTIDY, "keep": set()}
_REPAIRING = ("repair", "filter", "relabel")


@dataclass
class SynthesisReport:
    """What became of the sentences that were asked for.

    asked (int): Sentences asked for.
    accepted (int): Sentences given out.
    untouched (int): Of these, those that needed no repair.
    rejected (Counter): Reason to number.
    repaired (Counter): Issue to number, for the repairs that were done.
    unrepaired (Counter): Issue to number, for accepted sentences that a repair could not bring into order.
    relabelled (Counter): With the mode "relabel": mentions that were added, seeds, and seeds that the annotator finds.
    errors (Counter): missing, spurious and boundary, against the seeds, before any repair (GENLLM's error analysis).
    examples (Dict[str, List[str]]): Reason to a few sentences.
    """

    asked: int = 0
    accepted: int = 0
    untouched: int = 0
    rejected: Counter = field(default_factory=Counter)
    repaired: Counter = field(default_factory=Counter)
    unrepaired: Counter = field(default_factory=Counter)
    relabelled: Counter = field(default_factory=Counter)
    errors: Counter = field(default_factory=Counter)
    examples: Dict[str, List[str]] = field(default_factory=dict)

    def reject(self, reason: str, text: str) -> None:
        self.rejected[reason] += 1
        self.note(reason, text)

    def note(self, reason: str, text: str) -> None:
        kept = self.examples.setdefault(reason, [])
        if len(kept) < _EXAMPLES:
            kept.append(text)

    def to_json(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): The report as one JSON object; agreement is the share of seeds that the annotator
        finds too."""
        seeds = self.relabelled["seeds"]
        relabel = {"added": self.relabelled["added"], "agreement": self.relabelled["agreed"] / seeds} if seeds else {}
        return {"asked": self.asked, "accepted": self.accepted, "untouched": self.untouched,
                "rejected": dict(self.rejected.most_common()), "repaired": dict(self.repaired.most_common()),
                "unrepaired": dict(self.unrepaired.most_common()),
                **({"relabel": relabel} if relabel else {}),
                "errors": dict(self.errors), "examples": self.examples}


@dataclass(frozen=True)
class Written:
    """What became of one planned sentence.

    planned (PlannedSentence): What was asked for.
    sentence (Optional[Annotation]): The sentence, or None where it was rejected.
    reason (str): Why it was rejected.
    """

    planned: PlannedSentence
    sentence: Optional[Annotation] = None
    reason: str = ""


class SentenceWriter:
    """Turns planned sentences into annotated ones.

    runner (Runner): Asks the model, replies kept in its cache.
    prompt (SeedPrompt): Renders the prompt.
    checks (SentenceChecks): What a sentence must be like beyond its tags.
    mode (str): One of `MODES`.
    relabel (Optional[Relabel]): For the mode "relabel": annotates sentences.
    max_failures (int): So many replies in a row without a readable sentence end the run.
    meta (Optional[Mapping[str, Any]]): Put into the meta of each sentence: model, temperature, seed and so on.
    """

    def __init__(self, runner: Runner, prompt: SeedPrompt, checks: SentenceChecks, *, mode: str = "repair",
                 relabel: Optional[Relabel] = None, max_failures: int = 50,
                 meta: Optional[Mapping[str, Any]] = None) -> None:
        check_mode(mode)
        if mode == "relabel" and relabel is None:
            raise BionerError(Errors.E411)
        self.runner = runner
        self.prompt = prompt
        self.checks = checks
        self.mode = mode
        self.max_failures = max_failures
        self.report = SynthesisReport()
        self._relabel = relabel
        self._meta = dict(meta or {})
        self._failures: List[Tuple[str, str]] = []

    def write(self, plan: Iterable[PlannedSentence]) -> Iterator[Annotation]:
        """Write the sentences of a plan.

        plan (Iterable[PlannedSentence]): The plan.
        YIELDS (Annotation): The accepted sentences, in the order of the plan.
        RAISES BionerError: E412 or E430 where the model never writes a sentence in its wrapper.
        """
        return (written.sentence for written in self.write_each(plan) if written.sentence is not None)

    def write_each(self, plan: Iterable[PlannedSentence], *, window: int = _WINDOW) -> Iterator[Written]:
        """Write the sentences of a plan, the rejected ones with their reasons.

        plan (Iterable[PlannedSentence]): The plan.
        window (int): How many are asked for together.
        YIELDS (Written): One for each planned sentence, in order.
        RAISES BionerError: E412 or E430 where the model never writes a sentence in its wrapper.
        """
        stream = iter(plan)
        # The first window is short: a model that cannot do it is found out before many are asked for.
        size = min(window, self.max_failures or window)
        while batch := list(islice(stream, size)):
            requests = [self.request(planned) for planned in batch]
            fits = [self._fits(request) for request in requests]
            replies = iter(self.runner.run([request for request, fit in zip(requests, fits) if fit]))
            written = [self.read(planned, next(replies)) if fit else self._leave_out(planned)
                       for planned, fit in zip(batch, fits)]
            yield from self._label_rest(written) if self.mode == "relabel" else written
            size = window

    def request(self, planned: PlannedSentence) -> Request:
        """RETURNS (Request): The prompt with the seeds that grounded generation must place."""
        seeds = tuple((seed.text, seed.label) for seed in planned.seeds)
        return Request(self.prompt.render(planned.seeds), sample=planned.sample, seeds=seeds)

    def read(self, planned: PlannedSentence, reply: Reply) -> Written:
        """Read and check one reply.

        planned (PlannedSentence): What was asked for.
        reply (Reply): What came back.
        RETURNS (Written): The sentence, or the reason that is in the report too.
        """
        self.report.asked += 1
        if reply.error is not None:
            return self._reject(planned, "no_reply", reply.error)
        labels = sorted({*self.prompt.labels, *(seed.label for seed in planned.seeds)})
        seeds = [(seed.text, seed.label) for seed in planned.seeds]
        plain = SeedTagCodec(repair=False).read(reply.text, labels, seeds, truncated=reply.finish_reason == "length")
        if not plain.keep:
            reason = _first_reason(plain.issues)
            self._count_failure(reason, reply.text)
            return self._reject(planned, reason, reply.text)
        self._failures = []
        kinds = {issue.kind for issue in plain.issues}
        self._count_errors(kinds, plain.text)
        untidy = kinds & _UNTIDY
        mentions, left = plain.mentions, untidy & _MENDABLE
        if left and self.mode in _REPAIRING:
            mentions = SeedTagCodec(repair=True).read(reply.text, labels, seeds).mentions
            left &= {kind for kind, _ in check_seeds(plain.text, mentions, seeds).issues}
        # A tag that cannot be made a seed is a labelled entity which is none.
        fatal = untidy & _FATAL[self.mode] | (left if self.mode == "filter" else set())
        # No Doc can hold a mention that ends inside a word, and there a generated tag is most often a slip.
        if self.mode != "keep" and not all(on_boundaries(plain.text, item.start, item.end) for item in mentions):
            fatal = fatal | {"off_boundary"}
        reason = min(fatal, default="") or self.checks.find_fault(plain.text)
        if reason:
            return self._reject(planned, reason, plain.text)
        if self.mode in _REPAIRING:
            self.report.repaired.update(untidy & _MENDABLE - left)
            self.report.unrepaired.update(left)
        self.report.accepted += 1
        self.report.untouched += not (untidy if self.mode == "keep" else untidy & _MENDABLE)
        return Written(planned, self._finish(planned, plain, mentions))

    def _fits(self, request: Request) -> bool:
        """RETURNS (bool): Whether prompt and answer have room in the context of the model; no token is empty."""
        model, prompt = self.runner.model, request.prompt.plain
        room = model.context_length - int(model.identity().get("max_new_tokens", 0))
        return len(prompt.encode("utf8", "surrogatepass")) <= room or model.count_tokens(prompt) <= room

    def _leave_out(self, planned: PlannedSentence) -> Written:
        """RETURNS (Written): Of a sentence that is not asked for, since its seeds are too long."""
        self.report.asked += 1
        return self._reject(planned, "over_context", ", ".join(seed.text[:80] for seed in planned.seeds))

    def _reject(self, planned: PlannedSentence, reason: str, text: str) -> Written:
        self.report.reject(reason, text)
        return Written(planned, reason=reason)

    def _finish(self, planned: PlannedSentence, reading: SeedReading, mentions: Sequence[Mention]) -> Annotation:
        issues = Counter(issue.kind for issue in reading.issues)
        meta = {"origin": "synthetic", "split": "train", "unit": "sentence", "source": "generated", **self._meta,
                "seeds": [[seed.text, seed.label] for seed in planned.seeds], "issues": dict(sorted(issues.items()))}
        return Annotation(reading.text, id=planned.id, meta=meta).with_mentions(mentions)

    def _label_rest(self, written: Sequence[Written]) -> Iterator[Written]:
        """Add what an annotator finds beside the seeds, and say how many of them it finds too."""
        sentences = [item.sentence for item in written if item.sentence is not None]
        labelled = iter(self._relabel(sentences) if self._relabel is not None else sentences)
        for item in written:
            if item.sentence is not None:
                item = replace(item, sentence=self._add_rest(item.sentence, next(labelled).mentions))
            yield item

    def _add_rest(self, sentence: Annotation, found: Sequence[Mention]) -> Annotation:
        """RETURNS (Annotation): With what was found beside, in and round its seeds, but not across or on them."""
        keys = {mention.key for mention in found}
        places = {mention.key[:2] for mention in sentence.mentions}
        agreed = sum(mention.key in keys for mention in sentence.mentions)
        rest = [mention for mention in found if mention.key[:2] not in places
                and not any(mention.crosses(seed) for seed in sentence.mentions)]
        self.report.relabelled.update(added=len(rest), seeds=len(sentence.mentions), agreed=agreed)
        return sentence.with_mentions([*sentence.mentions, *rest]).with_meta(
            relabelled=len(rest), agreement=agreed / len(sentence.mentions) if sentence.mentions else 1.0)

    def _count_errors(self, kinds: set, text: str) -> None:
        for kind, name in (("seed_untagged", "missing"), ("new_entity", "spurious"), ("seed_boundary", "boundary")):
            if kind in kinds:
                self.report.errors[name] += 1
                self.report.note(name, text)

    def _count_failure(self, reason: str, text: str) -> None:
        """End a run that leads nowhere, with two raw answers to look at."""
        self._failures.append((reason, text))
        if self.max_failures and len(self._failures) >= self.max_failures:
            commonest, _ = Counter(each for each, _ in self._failures).most_common(1)[0]
            examples = " | ".join(repr(answer[:160]) for _, answer in self._failures[:2])
            message = Errors.E430 if commonest == "truncated" else Errors.E412
            self.report.reject(reason, text)
            raise BionerError(message.format(count=len(self._failures), reason=commonest, examples=examples))


def check_mode(mode: str) -> None:
    """Refuse a mode that there is not; raises BionerError E410."""
    if mode not in MODES:
        raise BionerError(Errors.E410.format(mode=mode, known=", ".join(MODES)))


def _first_reason(issues: Sequence[Any]) -> str:
    """RETURNS (str): What made a reply unreadable, the cause before what follows from it."""
    kinds = {issue.kind for issue in issues}
    return next((kind for kind in _UNREADABLE if kind in kinds), "unreadable")


def count_agreement(sentences: Iterable[Annotation]) -> float:
    """RETURNS (float): Share of the seeds that are mentions of their sentence, over all sentences."""
    placed = wanted = 0
    for sentence in sentences:
        names = {(fold_name(sentence.surface(mention)), mention.label) for mention in sentence.mentions}
        for text, label in sentence.meta.get("seeds", ()):
            wanted += 1
            placed += (fold_name(text), label) in names
    return placed / wanted if wanted else 0.0
