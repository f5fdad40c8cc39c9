"""Our task for spacy-llm's stock `llm` component: the same prompts, and replies read as everywhere else."""

from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple

import srsly
from spacy import util
from spacy.tokens import Doc
from spacy.training import Example

from ...annotation import Annotation
from ...corpus.sentences import find_sentences
from ...errors import Errors
from ...evaluation.scorers import score_nested_spans
from ...llm.annotation.assembly import make_builder
from ...llm.annotation.planner import ChunkSettings, Plan, Planner, estimate_tokens
from ...llm.protocol import Reply
from ...llm.settings import AnnotatorSettings, ChunkLimits, LabelChoice, PromptChoice
from ...prompts.build import PromptBuilder
from ...settings import setting, takes_settings
from ..doc_annotation import set_annotation

# Where the stock component knows no context of its model.
_DEFAULT_CONTEXT = 4096


class DocShards(List[Doc]):
    """The one Doc that a plan is about; the stock component hands it back untouched with the replies.

    plan (Plan): What was asked for it.
    """

    def __init__(self, doc: Doc, plan: Plan) -> None:
        super().__init__([doc])
        self.plan = plan


class BioNERTask:
    """Writes prompts for Docs and reads the replies into their spans.

    builder (PromptBuilder): Writes the prompts.
    spans_key (str): Where the mentions go in `Doc.spans`.
    chunks (ChunkSettings): How long texts are cut.
    """

    def __init__(self, builder: PromptBuilder, *, spans_key: str = "sc",
                 chunks: Optional[ChunkSettings] = None) -> None:
        self.label_definitions = dict(builder.labels)
        self.spans_key = spans_key
        self._builder = builder
        self._chunks = chunks or ChunkSettings()

    @property
    def builder(self) -> PromptBuilder:
        """Return what writes the prompts for the labels of now; raises BionerError E103 for none."""
        if self.label_definitions != self._builder.labels:
            self._builder = self._builder.with_labels(self.label_definitions)
        return self._builder

    # The stock component checks these annotations by name: they must be exactly typing's Iterable and Tuple.
    def generate_prompts(self, docs: Iterable[Doc],
                         context_length: Optional[int] = None) -> Iterable[Tuple[Iterable[Any], Iterable[Doc]]]:
        """Write the prompts of Docs.

        docs (Iterable[Doc]): The Docs.
        context_length (Optional[int]): Tokens that prompt and answer may have together.
        YIELDS (Tuple[Iterable[Any], Iterable[Doc]]): Prompts of a Doc, one for each of its chunks, and the Doc.
        """
        planner = self._planner(context_length)
        for doc in docs:
            plan = planner.plan(doc.text)
            yield [request.prompt.plain for request in plan.requests], DocShards(doc, plan)

    def parse_responses(self, shards: Iterable[Iterable[Doc]],
                        responses: Iterable[Iterable[Any]]) -> Iterable[Doc]:
        """Read replies into Docs.

        shards (Iterable[Iterable[Doc]]): What `generate_prompts` gave beside the prompts.
        responses (Iterable[Iterable[Any]]): Replies for each Doc, one for each prompt.
        YIELDS (Doc): The Docs; one that could not be asked for has its reason in `user_data["meta"]["error"]`.
        """
        planner = self._planner(None)
        for of_doc, texts in zip(shards, responses):
            assert isinstance(of_doc, DocShards), "shards are those of `generate_prompts`"
            [doc], plan = of_doc, of_doc.plan
            pairs = zip_longest(plan.requests, texts)
            replies = [Reply(finish_reason="error") if text is None else Reply(str(text)) for _, text in pairs]
            error = plan.error or (Errors.E216 if any(reply.finish_reason == "error" for reply in replies) else None)
            if error is not None:
                found = Annotation(doc.text, meta={"issues": {}, "error": error})
            else:
                reading = planner.read(plan, replies)
                issues = Counter(issue.kind for issue in reading.issues)
                found = Annotation(doc.text, reading.mentions, meta={"issues": dict(sorted(issues.items()))})
            set_annotation(doc, found.with_meta(prompt_hash=self.builder.hash), spans_key=self.spans_key)
            yield doc

    @property
    def labels(self) -> Tuple[str, ...]:
        return tuple(self.label_definitions)

    def add_label(self, label: str, label_definition: Optional[str] = None) -> int:
        """Return 1, or 0 where the label was there."""
        if label in self.label_definitions:
            return 0
        self.label_definitions[label] = label_definition or ""
        return 1

    def clear(self) -> None:
        """Forget all labels."""
        self.label_definitions = {}

    def scorer(self, examples: Iterable[Example]) -> Dict[str, Any]:
        """Return strict scores of the spans."""
        return score_nested_spans(examples, spans_key=self.spans_key)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        return util.to_bytes({"labels": lambda: srsly.json_dumps(self.label_definitions)}, exclude)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "BioNERTask":
        util.from_bytes(bytes_data, {"labels": lambda data: self._set_labels(srsly.json_loads(data))}, exclude)
        return self

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        util.to_disk(path, {"labels": lambda path: srsly.write_json(path, self.label_definitions)}, exclude)

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> "BioNERTask":
        util.from_disk(path, {"labels": lambda path: self._set_labels(srsly.read_json(path))}, exclude)
        return self

    def _set_labels(self, labels: Dict[str, str]) -> None:
        self.label_definitions = dict(labels)

    def _planner(self, context_length: Optional[int]) -> Planner:
        return Planner(self.builder, count_tokens=estimate_tokens, context_length=context_length or _DEFAULT_CONTEXT,
                       chunks=self._chunks)


class TaskSettings(ChunkLimits, PromptChoice, LabelChoice):
    """The task `spacy-bioner.BioNER.v1`."""

    spans_key: str = setting("sc", "Key of the group in `Doc.spans` that takes the mentions.")


@takes_settings(TaskSettings, place="spacy-bioner.BioNER.v1")
def make_task(settings: TaskSettings) -> BioNERTask:
    """Create the registered task `spacy-bioner.BioNER.v1`.

    settings (TaskSettings): Labels, codec, prompt and chunks.
    """
    builder = make_builder(None, AnnotatorSettings(**settings.shared_with(AnnotatorSettings)))
    return BioNERTask(builder, spans_key=settings.spans_key, chunks=ChunkSettings(
        max_tokens=settings.max_chunk_tokens, max_sentences=settings.max_sentences or 0, overlap=settings.overlap,
        find_sentences=lambda text: find_sentences(text, builder.lang)))
