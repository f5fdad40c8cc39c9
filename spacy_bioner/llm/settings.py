"""Settings of language models: a local one, one on a server, and how texts are asked for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Dict, List, Literal, Mapping, Optional, Union

from pydantic import BeforeValidator

from ..settings import Accepts, Settings, setting

if TYPE_CHECKING:
    from .local.causal_lm import CausalLM

EMBEDDED_MODEL = "smollm2-135m-instruct"
# Stands for the adapter that comes with this package.
AUTO = "auto"


class LocalModelSettings(Settings):
    """A local model and the device that it runs on."""

    model: str = setting(
        EMBEDDED_MODEL, "The model: a folder, an embedded model or a hub id. With a server, the name that the server "
        "knows.")
    revision: Optional[str] = setting(None, "Revision of a hub model.")
    device: str = setting(
        "auto", "Device of a local model: auto, cpu, cuda or cuda:1. A GPU chosen on the command line goes before it.")
    dtype: str = setting(
        "auto", "Number type of the weights: auto, bfloat16, float16, float32, or int8 for use on CPUs. auto is what "
        "is measured to be fastest on the device.")
    quantize: Optional[str] = setting(None, "4bit for NF4 with double quantization, on a GPU.")

    def choose_device(self, gpu_id: int) -> str:
        """Return the device: a GPU that is asked for goes before the setting, and "auto" alone is the CPU."""
        if gpu_id >= 0:
            return f"cuda:{gpu_id}"
        return "cpu" if self.device == "auto" else self.device

    def load(self, gpu_id: int, *, device: Optional[str] = None, for_training: bool = False) -> "CausalLM":
        """Load the model.

        gpu_id (int): GPU, or -1 for none.
        device (Optional[str]): Device of this process where there are several; goes before both others.
        for_training (bool): Whether it will be trained.
        RETURNS (CausalLM): The model.
        """
        from .local.causal_lm import load_causal_lm

        return load_causal_lm(self.model, revision=self.revision, device=device or self.choose_device(gpu_id),
                              dtype=self.dtype, quantize=self.quantize, for_training=for_training)


class ResponseSettings(Settings):
    """How responses are generated."""

    max_new_tokens: int = setting(512, "Most tokens of a freely generated response.", ge=1)
    temperature: float = setting(0.0, "0 takes the most probable response; above 0 free responses are sampled.", ge=0)
    seed: int = setting(0, "Random seed of the sampling.", ge=0)


class CausalLMSettings(ResponseSettings, LocalModelSettings):
    """A local model with its adapter, and how it decodes."""

    adapter: Optional[str] = setting(
        AUTO, "Folder of a LoRA adapter; codec, labels, template, corpus and lang then come from its card. auto takes "
        "the adapter in this package, where it has one for the model; null takes the base model.")
    decoding: Literal["grounded", "free"] = setting(
        "grounded", "grounded: only copies the text and marks mentions, with scores. free: any response, read by the "
        "codec.")
    max_batch_tokens: Optional[int] = setting(
        None, "Most tokens of all texts in progress, which bounds the memory; null takes what suits the device.", ge=1)
    pass_tokens: Optional[int] = setting(
        None, "New tokens of one forward pass of grounded decoding; null takes what suits the device.", ge=1)


class ConnectionSettings(Settings):
    """Where a server is and how it is asked."""

    base_url: Optional[str] = setting(
        None, "Address of an OpenAI-compatible server (vLLM, llama.cpp, SGLang, hosted ones), such as "
        "http://localhost:8000/v1.")
    api_key_env: str = setting("OPENAI_API_KEY", "Environment variable that holds the key.")
    extra_body: Mapping[str, Any] = setting(
        {}, "Further keys of each request, as the server documents them; null leaves out a key that is sent otherwise.")
    context_length: int = setting(8192, "Most tokens of prompt and response together.", ge=1)
    concurrency: int = setting(16, "Requests in progress at once.", ge=1)
    timeout: float = setting(120.0, "Seconds that a request may take in all.", gt=0)
    max_tries: int = setting(6, "How often a request is sent before it fails.", ge=1)
    backoff: float = setting(1.0, "Seconds before the second try; each further wait is about twice as long.", gt=0)
    max_wait: float = setting(60.0, "Longest wait in seconds, whatever the server asks for.", gt=0)
    max_response_bytes: Optional[int] = setting(
        None, "Most bytes of a response from the server; null takes what max_new_tokens can need.", ge=1)
    max_expansion: float = setting(
        100.0, "Most bytes of a response after decompression for each byte that came.", gt=0)
    environment_proxy: bool = setting(
        False, "Whether requests use the proxy of the environment (HTTPS_PROXY); to this machine itself they never do.")
    ca_file: Optional[Path] = setting(
        None, "PEM file of the authorities that the server's certificate may be from, as a hospital has its own; null "
        "trusts the public ones. The environment (SSL_CERT_FILE) is not asked.")
    price_in_per_million: Optional[float] = setting(
        None, "Price of a million prompt tokens, in a currency of your choice; the usage of a run then has its cost.",
        ge=0)
    price_out_per_million: Optional[float] = setting(
        None, "Price of a million response tokens, reasoning included, in the same currency.", ge=0)
    max_cost: Optional[float] = setting(
        None, "Most that a run may cost, in the same currency: a request that could cost more than is left is not "
        "sent, and the run stops. The same command resumes it, with a new limit of the same size.", gt=0)


class GrammarSettings(Settings):
    """How a server is held to responses that copy the text exactly."""

    grammar: Optional[Literal["auto", "llama.cpp", "vllm", "sglang"]] = setting(
        "auto", "Sends with each request a grammar of the legal responses, so that spans are exact, to a server of "
        "this kind. auto asks the server once what it is; null sends none.")
    on_refused_grammar: Literal["free", "stop"] = setting(
        "free", "If the server refuses a grammar: free asks without it, with a warning; stop ends the run.")
    grammar_depth: int = setting(2, "How deep spans may nest in responses that follow a grammar.", ge=1)
    scores: Optional[bool] = setting(
        None, "Whether the server is asked for the log-probabilities of tokens, from which spans get scores; null asks "
        "for them with each grammar.")


class ServerOptions(GrammarSettings, ConnectionSettings):
    """A server in place of a local model."""

    tokenizer: Optional[str] = setting(
        None, "Folder or hub id of the model's tokenizer, to count tokens; null estimates them.")
    chat: Optional[bool] = setting(
        None, "Whether prompts are chat messages; null: yes, unless the adapter was trained without.")
    structured: bool = setting(False, "Whether responses must follow the JSON schema of the json codec.")


class ServedModelSettings(ServerOptions, ResponseSettings):
    """A model on a server."""

    model: str = setting(..., "Name of the model on the server.")
    revision: Optional[str] = setting(None, "Tells two models of the same name apart; null takes the address.")
    adapter: Optional[str] = setting(
        None, "Folder with the card of the adapter that the server has loaded under this name; codec, labels and "
        "template come from it.")


class PromptChoice(Settings):
    """Which prompt is used; what is null is taken from the card of the adapter, or from the defaults."""

    template: Optional[str] = setting(
        None, "Prompt template, a name or a path; null takes that of the adapter, or of the language.")
    corpus: Optional[str] = setting(None, "Name of the corpus in the prompt; null takes that of the adapter, or none.")
    lang: Optional[str] = setting(None, "Language of texts and prompt; null takes that of the adapter, or en.")


class ChunkLimits(Settings):
    """How long texts are split."""

    max_chunk_tokens: Optional[int] = setting(
        512, "Longer texts are split at sentences into chunks of at most so many tokens; null takes what there is "
        "room for.", ge=1)
    max_sentences: Optional[int] = setting(
        None, "Most sentences of a chunk; 0 sets no limit, null takes as many as the adapter was trained on.", ge=0)
    overlap: int = setting(1, "Sentences that a chunk shares with the one before.", ge=0)


def read_labels(labels: Any) -> Any:
    """Make a mapping of a list of labels, in which a label may have a definition.

    labels (Any): A list of labels and of pairs [label, definition]; anything else is returned as it is.
    RETURNS (Any): Label to definition.
    RAISES ValueError: For an item of another kind, and for a label that comes twice.
    """
    if not isinstance(labels, (list, tuple)):
        return labels
    read: Dict[str, str] = {}
    for item in labels:
        pair = (item, "") if isinstance(item, str) else item
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(isinstance(one, str) for one in pair):
            raise ValueError(f"{item!r} is neither a label nor a pair [label, definition]")
        label, definition = pair
        if label in read:
            raise ValueError(f"the label {label!r} comes twice")
        read[label] = definition
    return read


# A config cuts the keys of a mapping at colons and equals signs; in a list a label is a value.
LabelMapping = Annotated[Optional[Dict[str, str]], BeforeValidator(read_labels),
                         Accepts(Optional[Union[Dict[str, str], List[Union[str, List[str]]]]])]


class LabelChoice(Settings):
    """Labels and codec, as objects of a pipeline."""

    labels: LabelMapping = setting(
        None, "Label to definition, or a list of labels and of pairs [label, definition]; null or empty takes the "
        "labels of the adapter, or of the embedded corpus.")
    codec: Optional[Any] = setting(
        None, "Format of the responses; null takes that of the adapter; without one bracket lines, from a server JSON.")


class RequestSettings(ChunkLimits, PromptChoice):
    """What texts are asked for."""

    examples: Optional[Path] = setting(None, "Records with few-shot examples.")
    choose_examples: int = setting(
        0, "How many examples to choose for each text, by similarity; 0 gives all of them to every text.", ge=0)
    cache: Optional[Path] = setting(None, "Database in which responses are kept; null asks everything anew.")
    window: int = setting(256, "Documents that are planned, asked and returned together.", ge=1)
    max_failures: int = setting(
        20, "Consecutive failures of the model or server that end the run; 0 never ends it.", ge=0)


class AnnotatorSettings(RequestSettings, LabelChoice):
    """What texts are asked for, with the labels and the codec."""
