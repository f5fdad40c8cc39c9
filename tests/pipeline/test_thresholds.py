import numpy
import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.pipeline.tuning import label_values


@pytest.mark.parametrize("setting, values", [
    pytest.param(0.3, [0.3, 0.3], id="one for all"),
    pytest.param({"*": 0.5, "B": 0.7}, [0.5, 0.7], id="one of its own"),
    pytest.param({"A": 0.1, "B": 0.2}, [0.1, 0.2], id="all of their own"),
])
def test_settings_are_spread_over_the_labels(setting, values):
    numpy.testing.assert_allclose(label_values(setting, ["A", "B"]), values)


@pytest.mark.parametrize("setting, label", [({"A": 0.5}, "B"), ({"*": 0.5, "C": 0.5}, "C")], ids=["missing", "unknown"])
def test_labels_without_a_threshold_and_thresholds_without_a_label_are_errors(setting, label):
    with pytest.raises(BionerError, match=f"'{label}'"):
        label_values(setting, ["A", "B"])
