"""Training logs become curves of the same figure side by side."""

from spacy_bioner.report.curves import Curve, collect_figures


def test_same_figure_of_several_logs_stands_together():
    first = Curve.from_rows("a", [{"step": 1, "loss": 2.0, "scores": {"f": 0.1}},
                                  {"step": 2, "loss": 1.0, "scores": {"f": 0.3}}])
    second = Curve.from_rows("b", [{"step": 5, "loss": 3.0}, {"step": 9, "loss": 1.5}])
    assert collect_figures([first, second]) == [
        ("loss", "step", {"a": ([1, 2], [2.0, 1.0]), "b": ([5, 9], [3.0, 1.5])}),
        ("scores f", "step", {"a": ([1, 2], [0.1, 0.3])})]


def test_steps_without_a_figure_and_what_is_no_number_are_passed_over():
    curve = Curve.from_rows("a", [{"epoch": 1, "note": "x", "done": True}, {"epoch": 2, "loss": 1},
                                  {"epoch": 3, "loss": 2}])
    assert collect_figures([curve]) == [("loss", "epoch", {"a": ([2, 3], [1, 2])})]


def test_without_steps_lines_are_counted():
    curve = Curve.from_rows("a", [{"f": 0.5}, {"f": 0.6}])
    assert collect_figures([curve]) == [("f", "line", {"a": ([1, 2], [0.5, 0.6])})]


def test_an_empty_log_has_no_curve():
    assert collect_figures([Curve.from_rows("a", [])]) == []
