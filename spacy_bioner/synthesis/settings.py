"""Settings of generated and changed sentences: seeds, prompt, generator, sentences, checks, variants."""

from pathlib import Path
from typing import List, Literal, Optional

from ..finetuning.lora.lora_settings import LoraSettings, StepSettings, TrainingSettings
from ..llm.settings import CausalLMSettings, LocalModelSettings, ServerOptions
from ..settings import Settings, other_default, setting


class SeedSettings(Settings):
    """Which known entities are collected as seeds."""

    per_label: int = setting(100, "How many of the most frequent names to keep of each label; 0 keeps all.", ge=0)
    max_length: int = setting(60, "Longer names, in characters, are left out.", ge=1)


class GenerationPromptSettings(Settings):
    """How sentences are asked for."""

    template: Optional[str] = setting(None, "Prompt template; null takes that of the adapter, or of the language.")
    variant: Literal["simple", "no_new_entity", "chain_of_thought"] = setting(
        "simple", "Variant of the prompt; chain_of_thought needs free decoding.")
    domain: Optional[str] = setting(
        None, "What the sentences are about; null takes the domain of the label schema, or biomedicine.")
    genre: Optional[str] = setting(
        None, "Where the sentences could stand; null says an abstract, in the language of the template.")


class PromptSettings(GenerationPromptSettings):
    """How sentences are asked for, with raw sentences as examples of the style."""

    style_examples: int = setting(0, "Raw sentences that show the style.", ge=0)


class GeneratorTraining(StepSettings):
    """How the adapter of the generator is trained; its random seed is that of the generator."""

    max_epochs: int = other_default(StepSettings, "max_epochs", 1)
    batch_size: int = other_default(StepSettings, "batch_size", 16)
    max_batch_tokens: Optional[int] = other_default(StepSettings, "max_batch_tokens", 1536)
    max_length: int = other_default(StepSettings, "max_length", 256)
    eval_frequency: int = other_default(StepSettings, "eval_frequency", 20)


class GeneratorSettings(LocalModelSettings):
    """How the generator is trained."""

    raw_pairs: int = setting(150, "Raw sentences that become training pairs.", ge=0)
    gold_pairs: int = setting(150, "Gold sentences that become training pairs.", ge=0)
    max_seeds: int = setting(3, "Most seeds of a pair.", ge=1)
    seed: int = setting(0, "Random seed of pairs, weights and order.", ge=0)
    lora: LoraSettings = LoraSettings()
    training: GeneratorTraining = GeneratorTraining()

    def training_settings(self) -> TrainingSettings:
        """Return how the adapter is trained, with the random seed."""
        return TrainingSettings(**self.training.values(), seed=self.seed)


class WritingSettings(Settings):
    """How sentences are sampled and what becomes of faulty ones."""

    mode: Literal["repair", "filter", "drop", "keep", "relabel"] = setting(
        "repair", "What becomes of sentences whose tags are faulty: repair, drop or keep. filter repairs them but "
        "drops those with other tags than seeds; relabel repairs them and adds the mentions of an annotator.")
    top_p: float = setting(0.95, "Share of the probability that is sampled from.", gt=0, le=1)
    attempts: int = setting(3, "How often a sentence that does not end in time is sampled.", ge=1)
    batch_size: int = setting(32, "Sentences written together.", ge=1)
    max_failures: int = setting(
        50, "Consecutive responses without a readable sentence that end the run; 0 never ends it.", ge=0)
    cache: Optional[Path] = setting(None, "Database in which responses are kept; null asks everything anew.")


class WriterModelSettings(CausalLMSettings):
    """The model that writes sentences."""

    adapter: Optional[str] = other_default(CausalLMSettings, "adapter", None)
    temperature: float = other_default(CausalLMSettings, "temperature", 0.8)
    max_new_tokens: int = other_default(CausalLMSettings, "max_new_tokens", 128)


class SynthesizeSettings(WritingSettings, LocalModelSettings):
    """How sentences are generated."""

    decoding: Literal["grounded", "free"] = setting(
        "grounded", "grounded: tags, seeds and end are right by construction. free: sampled as it comes, then "
        "checked.")
    n: int = setting(80, "Sentences to ask for.", ge=1)
    max_seeds: int = setting(3, "Most seeds of a sentence.", ge=1)
    temperature: float = other_default(WriterModelSettings, "temperature", 0.8)
    max_new_tokens: int = other_default(WriterModelSettings, "max_new_tokens", 128)
    max_thought_tokens: int = setting(
        128, "So many tokens more where the variant chain_of_thought thinks before the sentence.", ge=0)
    replay: Optional[Path] = setting(None, "Recorded responses in place of a model.")
    seed: int = setting(0, "Random seed of the plan and of the sampling.", ge=0)
    server: ServerOptions = ServerOptions()


class AugmentSettings(Settings):
    """How gold sentences are changed: lsms by simple operations, llm-da by a language model."""

    operations: List[str] = setting(
        ["mention_replacement", "token_replacement", "shuffle_within_segments", "synonym_replacement"], "Operations "
        "of lsms: mention_replacement, token_replacement, shuffle_within_segments, synonym_replacement.", min_length=1)
    copies: int = setting(4, "Changed sentences to make of each.", ge=1)
    share: float = setting(0.3, "Probability that a mention, word or segment is changed.", gt=0, le=1)
    synonyms: Optional[Path] = setting(
        None, "File with a word, a tab and a synonym a line; null takes words of train that look alike.")
    levels: List[Literal["context", "entity"]] = setting(
        ["context", "entity"], "What llm-da makes: new contexts around the mentions, and new mentions.", min_length=1)
    noise: bool = setting(False, "Whether misspelt copies are made too.")
    rounds: int = setting(4, "How often llm-da asks for new mentions of a label.", ge=1)
    shown: int = setting(8, "Mentions that llm-da shows as examples each time.", ge=1)
    seed: int = setting(0, "Random seed of the changes.", ge=0)
