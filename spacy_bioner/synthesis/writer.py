"""Sentences from seeds: asked for, read, checked, counted; `drafts` says what the modes do."""

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation
from ..codecs.seed_tags.seed_codec import SeedReading, SeedTagCodec
from ..errors import BionerError, Errors
from ..llm.annotation.request_runner import Runner
from ..llm.protocol import Reply, Request
from ..locks import ThreadLock
from .checking.sentence_checks import SentenceChecks
from .drafts import Draft, check_mode, find_tag_fault, make_draft
from .plan import PlannedSentence
from .seed_prompt import SeedPrompt
from .seeds import Seed, fold_name

Relabel = Callable[[Sequence[Annotation]], Iterable[Annotation]]
_EXAMPLES = 5
_WINDOW = 256
# What an annotation says of its annotator.
_ORIGIN = ("model", "adapter", "prompt_hash")
_UNREADABLE = ("truncated", "no_output", "no_wrapper", "tag_mismatch", "unbalanced_marker")


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
        """Return the report as one JSON object; agreement is the share of seeds that the annotator
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
    draft (Optional[Draft]): What the sentence was made of.
    """

    planned: PlannedSentence
    sentence: Optional[Annotation] = None
    reason: str = ""
    draft: Optional[Draft] = None


class SentenceWriter:
    """Turns planned sentences into annotated ones.

    runner (Runner): Asks the model, replies kept in its cache.
    prompt (SeedPrompt): Renders the prompt.
    checks (SentenceChecks): What a sentence must be like beyond its tags.
    mode (str): One of `drafts.MODES`.
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
        self._samples: Counter = Counter()
        # Of the report, the samples, and the sentences that others are compared with.
        self._lock = ThreadLock()

    def write(self, plan: Iterable[PlannedSentence]) -> Iterator[Annotation]:
        """Write the sentences of a plan.

        plan (Iterable[PlannedSentence]): The plan.
        YIELDS (Annotation): The accepted sentences, in the order of the plan.
        RAISES BionerError: E412 or E413 where the model never writes a sentence in its wrapper.
        """
        return (written.sentence for written in self.write_each(plan) if written.sentence is not None)

    def write_each(self, plan: Iterable[PlannedSentence], *, window: int = _WINDOW) -> Iterator[Written]:
        """Write the sentences of a plan, the rejected ones with their reasons.

        plan (Iterable[PlannedSentence]): The plan.
        window (int): How many are asked for together.
        YIELDS (Written): One for each planned sentence, in order.
        RAISES BionerError: E412 or E413 where the model never writes a sentence in its wrapper.
        """
        stream = iter(plan)
        # The first window is short: a model that cannot do it is found out before many are asked for.
        size = min(window, self.max_failures or window)
        while batch := list(islice(stream, size)):
            requests = [self.request(planned) for planned in batch]
            fits = [self._fits(request) for request in requests]
            replies = iter(self.runner.run([request for request, fit in zip(requests, fits) if fit]))
            with self._lock:
                written = [self.read(planned, next(replies)) if fit else self._leave_out(planned)
                           for planned, fit in zip(batch, fits)]
            for item in self._label_rest(written) if self.mode == "relabel" else written:
                if item.draft is not None:
                    self.count_accepted(item.draft)
                yield item
            size = window

    def count_sample(self, seeds: Tuple[Seed, ...]) -> int:
        """Return how often this was called for these seeds: the `sample` of a sentence that is planned as it comes.

        seeds (Tuple[Seed, ...]): The seeds.
        """
        with self._lock:
            self._samples[seeds] += 1
            return self._samples[seeds] - 1

    def request(self, planned: PlannedSentence) -> Request:
        """Return the prompt with the seeds that grounded generation must place."""
        return Request(self.prompt.render(planned.seeds), sample=planned.sample, seeds=_pairs(planned))

    def read(self, planned: PlannedSentence, reply: Reply) -> Written:
        """Read and check one reply.

        planned (PlannedSentence): What was asked for.
        reply (Reply): What came back.
        RETURNS (Written): The sentence, or the reason that is in the report too.
        """
        self.report.asked += 1
        if reply.error is not None:
            return self._reject(planned, "no_reply", reply.error)
        reading = self._read_tags(planned, reply)
        if not reading.keep:
            reason = _first_reason(reading.issues)
            self._count_failure(reason, reply.text)
            return self._reject(planned, reason, reply.text)
        self._failures = []
        draft = make_draft(reading, _pairs(planned), self.mode)
        shown = _show(planned, reply.text)
        self._count_errors(draft, shown)
        fault = find_tag_fault(draft, self.mode)
        if fault:
            return self._reject(planned, fault, shown)
        flaw = self.checks.find_fault(draft.text)
        if flaw:
            return self._reject(planned, flaw, draft.text)
        return Written(planned, self._finish(planned, draft), draft=draft)

    def _read_tags(self, planned: PlannedSentence, reply: Reply) -> SeedReading:
        """Return the sentence as it was written, its tags compared with its seeds."""
        labels = sorted({*self.prompt.labels, *(seed.label for seed in planned.seeds)})
        return SeedTagCodec().read(reply.text, labels, _pairs(planned), truncated=reply.finish_reason == "length")

    def _fits(self, request: Request) -> bool:
        """Return whether prompt and answer have room in the context of the model; no token is empty."""
        model, prompt = self.runner.model, request.prompt.plain
        room = model.context_length - int(model.identity().get("max_new_tokens", 0))
        return len(prompt.encode("utf8", "surrogatepass")) <= room or model.count_tokens(prompt) <= room

    def _leave_out(self, planned: PlannedSentence) -> Written:
        """Return the record of a sentence that is not asked for, since its seeds are too long."""
        self.report.asked += 1
        return self._reject(planned, "over_context", ", ".join(seed.text[:80] for seed in planned.seeds))

    def _reject(self, planned: PlannedSentence, reason: str, text: str) -> Written:
        self.report.reject(reason, text)
        return Written(planned, reason=reason)

    def _finish(self, planned: PlannedSentence, draft: Draft) -> Annotation:
        issues = Counter(issue.kind for issue in draft.reading.issues)
        meta = {"origin": "synthetic", "split": "train", "unit": "sentence", "source": "generated", **self._meta,
                "seeds": [[seed.text, seed.label] for seed in planned.seeds], "issues": dict(sorted(issues.items()))}
        return Annotation(draft.text, id=planned.id, meta=meta).with_mentions(draft.mentions)

    def _label_rest(self, written: Sequence[Written]) -> Iterator[Written]:
        """Add what an annotator finds beside the seeds, and say how many of them it finds too."""
        sentences = [item.sentence for item in written if item.sentence is not None]
        labelled = iter(self._relabel(sentences) if self._relabel is not None else sentences)
        for item in written:
            if item.sentence is not None:
                found = next(labelled)
                error = found.meta.get("error")
                item = (replace(item, sentence=self._add_rest(item.sentence, found)) if error is None
                        else self._reject(item.planned, "relabel_failed", f"{item.sentence.text} ({error})"))
            yield item

    def _add_rest(self, sentence: Annotation, labelled: Annotation) -> Annotation:
        """Return the annotation with what was found beside, in and round its seeds, but not across or on them."""
        found = labelled.mentions
        keys = {mention.key for mention in found}
        places = {mention.key[:2] for mention in sentence.mentions}
        agreed = sum(mention.key in keys for mention in sentence.mentions)
        rest = [mention for mention in found if mention.key[:2] not in places
                and not any(mention.crosses(seed) for seed in sentence.mentions)]
        self.report.relabelled.update(added=len(rest), seeds=len(sentence.mentions), agreed=agreed)
        annotator = {key: labelled.meta[key] for key in _ORIGIN if key in labelled.meta}
        return sentence.with_mentions([*sentence.mentions, *rest]).with_meta(
            relabelled=len(rest), agreement=agreed / len(sentence.mentions) if sentence.mentions else 1.0,
            annotator=annotator)

    def _count_errors(self, draft: Draft, shown: str) -> None:
        for kind, name in (("seed_untagged", "missing"), ("new_entity", "spurious"), ("seed_boundary", "boundary")):
            if kind in draft.untidy:
                self.report.errors[name] += 1
                self.report.note(name, shown)

    def count_accepted(self, draft: Draft) -> None:
        """Note in the report that a sentence was given out, and what was repaired in it; `write_each` does so itself.

        draft (Draft): What the sentence was made from.
        """
        with self._lock:
            self.report.accepted += 1
            self.report.repaired.update(draft.mended)
            self.report.unrepaired.update(draft.unmended)
            # The mode "keep" repairs nothing: there a sentence is in order, or it is not.
            self.report.untouched += not (draft.untidy if self.mode == "keep" else draft.mended | draft.unmended)

    def _count_failure(self, reason: str, text: str) -> None:
        """End a run that leads nowhere, with two raw answers to look at."""
        self._failures.append((reason, text))
        if self.max_failures and len(self._failures) >= self.max_failures:
            commonest, _ = Counter(each for each, _ in self._failures).most_common(1)[0]
            examples = " | ".join(repr(answer[:160]) for _, answer in self._failures[:2])
            message = Errors.E413 if commonest == "truncated" else Errors.E412
            self.report.reject(reason, text)
            raise BionerError(message.format(count=len(self._failures), reason=commonest, examples=examples))


def _pairs(planned: PlannedSentence) -> Tuple[Tuple[str, str], ...]:
    """Return the text and label of each seed."""
    return tuple((seed.text, seed.label) for seed in planned.seeds)


def _show(planned: PlannedSentence, answer: str) -> str:
    """Return what the model wrote, and the seeds that it was to tag."""
    return f"{answer.strip()} | {', '.join(f'{text} ({label})' for text, label in _pairs(planned))}"


def _first_reason(issues: Sequence[Any]) -> str:
    """Return what made a reply unreadable, the cause before what follows from it."""
    kinds = {issue.kind for issue in issues}
    return next((kind for kind in _UNREADABLE if kind in kinds), "unreadable")


def count_agreement(sentences: Iterable[Annotation]) -> float:
    """Return the share of the seeds that are mentions of their sentence, over all sentences."""
    placed = wanted = 0
    for sentence in sentences:
        names = {(fold_name(sentence.surface(mention)), mention.label) for mention in sentence.mentions}
        for text, label in sentence.meta.get("seeds", ()):
            wanted += 1
            placed += (fold_name(text), label) in names
    return placed / wanted if wanted else 0.0
