"""Config files that cannot be read are one clear line."""

import pytest

from spacy_bioner.config_files import ConfigFiles, find_config
from spacy_bioner.errors import BionerError
from spacy_bioner.training.spacy_training import read_training_config

TWICE = [pytest.param("[run]\nseed = 1\nseed = 2\n", "option 'seed'", id="key"),
         pytest.param("[run]\nseed = 1\n\n[run]\nlang = 2\n", "section 'run'", id="section")]


@pytest.mark.parametrize("content, what", TWICE)
@pytest.mark.parametrize("read", [ConfigFiles.read, lambda files: read_training_config(files, {})])
def test_what_stands_twice_in_a_config_is_an_error_with_its_place(tmp_path, read, content, what):
    (tmp_path / "twice.cfg").write_text(content)
    with pytest.raises(BionerError, match=rf"twice\.cfg.*{what}.* already exists") as caught:
        read(ConfigFiles("spancat", tmp_path / "twice.cfg"))
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_before_a_config_does_not_matter(tmp_path):
    (tmp_path / "mark.cfg").write_bytes(b"\xef\xbb\xbf[run]\nseed = 1\n")
    assert ConfigFiles("spancat", tmp_path / "mark.cfg").read() == {"run": {"seed": 1}}


@pytest.mark.issue(21)
@pytest.mark.parametrize("dropout", [5, -0.1, 1])
def test_a_dropout_that_is_none_is_one_line(dropout):
    with pytest.raises(BionerError, match=f"training.dropout is {dropout}, wanted") as caught:
        read_training_config(find_config("spancat"), {"training.dropout": dropout})
    assert "\n" not in str(caught.value)
