"""Configs: a base file for each task, whose values and comments are those of the declarations, and profiles."""

import inspect
import json

import pytest
from places import CONFIGS
from spacy.util import registry

from spacy_bioner.cli.annotate import AnnotateSettings
from spacy_bioner.config_files import find_config
from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.settings import FinetuneSettings, SelectDataSettings
from spacy_bioner.ml.settings import EncoderSettings, FastSelectorSettings, SpanGridSettings
from spacy_bioner.pipeline import bioner_spancat, llm_bioner, seed_generator, span_selector
from spacy_bioner.settings import default_values, write_section
from spacy_bioner.synthesis.checking.check_settings import SentenceBounds
from spacy_bioner.synthesis.settings import (
    AugmentSettings,
    GeneratorSettings,
    PromptSettings,
    SeedSettings,
    SynthesizeSettings,
)
from spacy_bioner.training.selector.negatives import NegativeSettings

SECTIONS = [("annotate", "annotate", AnnotateSettings), ("finetune", "finetune", FinetuneSettings),
            ("select_data", "select_data", SelectDataSettings), ("generate", "seeds", SeedSettings),
            ("generate", "prompt", PromptSettings), ("generate", "train", GeneratorSettings),
            ("generate", "synthesize", SynthesizeSettings), ("generate", "checks", SentenceBounds),
            ("generate", "augment", AugmentSettings)]
ENCODER = {"@architectures": "spacy-bioner.TransformerEncoder.v1", "name": "all-minilm-l6-v2"}
MODELS = [("spancat", "bioner_spancat.model", SpanGridSettings, {"@architectures": "spacy-bioner.SpanGrid.v1"}),
          ("spancat", "bioner_spancat.model.tok2vec", EncoderSettings, ENCODER),
          ("selector", "span_selector.model", FastSelectorSettings,
           {"@architectures": "spacy-bioner.SpanSelector.v1"}),
          ("selector", "span_selector.model.tok2vec", EncoderSettings, ENCODER)]
PROFILES = ["default", "smoke", "gpu", "zh", "smoke,zh", "gpu,zh", "gpu,gpu_small", "quick", "quick,zh",
            "packaged_adapter", "head_start", "selector_bert_marked", "selector_llm_marked", "selector_llm_fast"]
TASKS = sorted(path.stem for path in CONFIGS.glob("*.cfg"))
# Where a run keeps its responses is a path of the workflow.
PATHS = {"cache": {"annotate": "training/replies.sqlite", "synthesize": "training/generated.sqlite"}}


@pytest.mark.issue(20)
@pytest.mark.parametrize("task, section, schema", SECTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_base_config_has_the_defaults_and_the_meanings_of_its_declaration(task, section, schema):
    paths = {"cache": PATHS["cache"][section]} if section in PATHS["cache"] else {}
    assert write_section(section, schema, paths) in (CONFIGS / f"{task}.cfg").read_text(encoding="utf8")


@pytest.mark.issue(20)
@pytest.mark.parametrize("task, section, schema, values", MODELS, ids=lambda value: value if isinstance(value, str)
                         else "")
def test_an_architecture_has_the_defaults_of_the_base_config(task, section, schema, values):
    assert write_section(f"components.{section}", schema, values) in (CONFIGS / f"{task}.cfg").read_text("utf8")


@pytest.mark.issue(20)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("task", TASKS)
def test_every_config_resolves_with_every_profile(task, profile):
    content = find_config(task, profile=profile).read()
    for one, section, schema in SECTIONS:
        if one == task:
            schema.model_validate(content[section])


@pytest.mark.issue(20)
def test_an_unknown_profile_or_key_is_one_line_with_the_nearest_name(tmp_path):
    with pytest.raises(BionerError, match="No profile 'smok'. Did you mean 'smoke'"):
        find_config("annotate", profile="smok")
    (tmp_path / "mine.cfg").write_text("[spancat.run]\nupdate = 3\n")
    with pytest.raises(BionerError, match="update.*Did you mean 'updates'"):
        find_config("spancat", profile=str(tmp_path / "mine.cfg")).read()


@pytest.mark.parametrize("key, message", [
    ("trian.seed", r"No section \[trian\] in .*generate.cfg. Did you mean 'train'\? Sections: .*train"),
    ("train.traning.seed", r"No section \[train.traning\] in .* Did you mean 'training'"),
])
def test_an_override_of_a_section_that_there_is_not_names_the_nearest_one(key, message):
    with pytest.raises(BionerError, match=message):
        find_config("generate").read({key: 1})


@pytest.mark.issue(20)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("task", ["spancat", "selector"])
def test_spacy_reads_every_key_of_a_training_section(task, profile):
    from spacy.schemas import ConfigSchemaTraining

    training = find_config(task, profile=profile).read()["training"]
    assert set(training) <= set(ConfigSchemaTraining.model_fields)


@pytest.mark.issue(20)
@pytest.mark.parametrize("task, name, make", [("spancat", "bioner_spancat", bioner_spancat.DEFAULT_MODEL),
                                              ("selector", "span_selector", span_selector.DEFAULT_MODEL)])
def test_the_default_model_of_a_component_is_that_of_its_base_config(task, name, make):
    model = find_config(task).read()["components"][name]["model"]
    assert json.loads(json.dumps(model)) == json.loads(json.dumps(make))


@pytest.mark.issue(20)
def test_the_negatives_of_the_base_config_are_the_defaults():
    corpus = find_config("selector").read()["corpora"]["train"]
    assert corpus["negatives"] == default_values(NegativeSettings)


@pytest.mark.issue(20)
@pytest.mark.parametrize("factory, schema", [
    ("llm_bioner", llm_bioner.LLMBioNERSettings), ("seed_generator", seed_generator.SeedGeneratorSettings),
    ("bioner_spancat", bioner_spancat.BionerSpancatSettings), ("span_selector", span_selector.SpanSelectorSettings)])
def test_the_signature_of_a_factory_is_its_declaration(factory, schema):
    made = inspect.signature(registry.get("factories", factory)).parameters
    assert set(schema.model_fields) <= set(made)
    assert set(made) - set(schema.model_fields) == {"nlp", "name", "model"} | ({"scorer"} & set(made))
