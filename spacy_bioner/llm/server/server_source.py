"""A server as a source of models: prompts as the adapter was trained with, answers held to a schema on request."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional

from ...codecs.json.json_keys import WRAPPED_KEY
from ...errors import BionerError, Errors
from ...prompts.build import PromptBuilder
from ...settings import takes_settings
from ..adapter import AdapterCard
from ..annotation.planner import estimate_tokens
from ..local.fingerprint import served_fingerprint
from ..local.model_source import answer_prompts, find_adapter
from ..protocol import LanguageModel
from ..settings import ServedModelSettings
from .answer_grammars.rules_registry import RulesContext, make_grammar_writer
from .budget import Budget, make_budget
from .client import Server, ServerSettings
from .span_scores import SpanScorer, make_span_scorer


def answer_schema(shape: str, labels: List[str]) -> Dict[str, Any]:
    """Describe the answers of the JSON codec for servers that can hold a model to a schema.

    shape (str): Shape of the list, see `codecs.json.json_codec.JsonCodec`.
    labels (List[str]): The labels of the schema.
    RETURNS (Dict[str, Any]): A JSON schema.
    """
    def item(**properties: Any) -> Dict[str, Any]:
        return {"type": "object", "properties": properties, "required": list(properties),
                "additionalProperties": False}

    string, number, label = {"type": "string"}, {"type": "integer"}, {"enum": labels}
    items = {"name": item(type=label, name=string),
             "offsets": item(start_idx=number, end_idx=number, type=label, entity=string),
             "context": {"anyOf": [item(context=string, **{name: string}) for name in labels]}}
    # Hosted services refuse another root than an object.
    return item(**{WRAPPED_KEY: {"type": "array", "items": items[shape]}})


@dataclass(frozen=True)
class ServerSource:
    """A model on a server.

    settings (ServerSettings): Where it is and how it is asked.
    structured (bool): Whether answers are held to the JSON schema of the codec.
    adapter_folder (Optional[Path]): Folder with the card of the adapter that the server has loaded; with its weights
        too, records name it as those of a local model do.
    count_tokens (Callable[[str], int]): Counts tokens as the server's model does.
    budget (Optional[Budget]): Counts the cost of all that is opened here.
    """

    settings: ServerSettings
    structured: bool = False
    adapter_folder: Optional[Path] = None
    count_tokens: Callable[[str], int] = estimate_tokens
    budget: Optional[Budget] = None

    def card(self) -> Optional[AdapterCard]:
        return None if self.adapter_folder is None else AdapterCard.read(self.adapter_folder)

    def with_adapter(self, folder: Optional[Path]) -> "ServerSource":
        return replace(self, adapter_folder=folder)

    def open(self, builder: PromptBuilder) -> LanguageModel:
        """Return the server; raises BionerError E224 where no schema fits the codec."""
        settings = self.settings
        if self.structured:
            if builder.codec.name != "json":
                raise BionerError(Errors.E224.format(codec=builder.codec.name))
            schema = answer_schema(str(builder.codec.settings()["shape"]), list(builder.labels))
            settings = settings.changed(json_schema=schema)
        labels = tuple(builder.labels)
        write_grammar = make_grammar_writer(RulesContext(builder.codec, labels, max_depth=settings.grammar_depth,
                                                         wrapped=self.structured))
        return self._connect(settings, write_grammar,
                             make_span_scorer(builder.codec, labels, max_depth=settings.grammar_depth))

    def open_generator(self, *, top_p: float, attempts: int, batch_size: int, min_units: int = 0) -> LanguageModel:
        """Return the server as a writer of sentences; it decodes freely, and answers are checked."""
        return self._connect(self.settings.changed(top_p=top_p))

    def __call__(self, prompts: Iterable[Iterable[Any]]) -> Iterable[Iterable[Any]]:
        """Answer the prompts of documents, as spacy-llm's models do."""
        return answer_prompts(self._connect(self.settings), prompts)

    @property
    def context_length(self) -> int:
        return self.settings.context_length

    def _connect(self, settings: ServerSettings, write_grammar: Optional[Callable[[str], str]] = None,
                 score_spans: Optional[SpanScorer] = None) -> Server:
        """Return the server, its adapter known by its content: retrained under the same name it is asked
        anew."""
        adapter = None if self.adapter_folder is None else served_fingerprint(self.adapter_folder)
        return Server(settings, count_tokens=self.count_tokens, adapter=adapter, write_grammar=write_grammar,
                      score_spans=score_spans, budget=self.budget)


@takes_settings(ServedModelSettings, place="spacy-bioner.Server.v1")
def make_server(settings: ServedModelSettings) -> ServerSource:
    """Create the registered model `spacy-bioner.Server.v1`.

    settings (ServedModelSettings): The model, the server, and how it is asked. The content of the adapter is part of
        the key of the cache; the API key is read from the environment only, so that no config holds it.
    """
    folder = find_adapter(settings.model, settings.adapter)
    chat = settings.chat
    if chat is None:
        chat = folder is None or AdapterCard.read(folder).chat
    count_tokens = estimate_tokens if settings.tokenizer is None else read_counter(settings.tokenizer)
    asked = ServerSettings(**{**settings.shared_with(ServerSettings), "chat": chat})
    return ServerSource(asked, structured=settings.structured, adapter_folder=folder, count_tokens=count_tokens,
                        budget=make_budget(asked))


def read_counter(tokenizer: str) -> Callable[[str], int]:
    """Return counts tokens with the tokenizer of that folder or hub id."""
    from ..local.hub import resolve_model
    from ..local.pretrained import load_tokenizer

    loaded = load_tokenizer(resolve_model(tokenizer))
    return lambda text: len(loaded(text, add_special_tokens=False)["input_ids"])
