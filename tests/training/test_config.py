import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.training.config import find_setting, refuse_owned, split_sources


def test_a_setting_that_is_not_there_is_told_with_its_key():
    config = {"run": {"updates": 3}}
    assert find_setting(config, "run.updates", path="a.cfg") == 3
    for key in ("training", "run.seed", "run.updates.more"):
        with pytest.raises(BionerError, match=f"a.cfg.*{key}"):
            find_setting(config, key, path="a.cfg")


def test_what_an_option_says_is_no_setting():
    owned = {"run.seed": "--seed", "corpora.train.sources.*.path": "--*"}
    refuse_owned(["run.updates", "corpora.train.sources.gold.limit"], owned)
    with pytest.raises(BionerError, match="--seed"):
        refuse_owned(["run.seed"], owned)
    with pytest.raises(BionerError, match="--gold"):
        refuse_owned(["corpora.train.sources.gold.path"], owned)


def test_settings_of_sources_are_taken_out():
    others, sources = split_sources({"run.warmup": 2, "corpora.train.sources.gold.limit": 5, "corpora.train.seed": 1})
    assert others == {"run.warmup": 2, "corpora.train.seed": 1} and sources == {"gold": {"limit": 5}}
