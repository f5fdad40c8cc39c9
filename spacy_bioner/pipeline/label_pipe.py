"""What the trained components share: labels that are fixed once the model has its weights."""

from itertools import islice
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import BionerError, Errors

# Documents that the model sees to find out its dimensions.
_SAMPLE = 8


class LabelPipe(TrainablePipe):
    """A trained component with labels in `cfg["labels"]` and a model whose output layer has one row a label."""

    cfg: Dict[str, Any]

    @property
    def labels(self) -> Tuple[str, ...]:
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> List[str]:
        return list(self.labels)

    def add_label(self, label: str) -> int:
        """Add a label; only before the model is initialized.

        label (str): The label.
        RETURNS (int): 0 where it was there, else 1.
        RAISES BionerError: E503 where the model has its weights.
        """
        if label in self.labels:
            return 0
        if self.model.get_ref("output_layer").has_dim("nO"):
            raise BionerError(Errors.E503.format(label=label, known=", ".join(self.labels)))
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

    def set_labels(self, examples: Sequence[Example], labels: Optional[Sequence[str]]) -> None:
        """Set the labels before training.

        examples (Sequence[Example]): The training data.
        labels (Optional[Sequence[str]]): The labels; without them those of the gold spans.
        RAISES BionerError: E504 where there is no label.
        """
        key = self.cfg["spans_key"]
        for label in sorted(_gold_labels(examples, key)) if labels is None else labels:
            self.add_label(label)
        if not self.labels:
            raise BionerError(Errors.E504.format(name=self.name, spans_key=key))
        output = self.model.get_ref("output_layer")
        if not output.has_dim("nO"):
            output.set_dim("nO", len(self.labels))


def sample_docs(examples: Iterable[Example]) -> List[Doc]:
    """Return a few documents with tokens, to initialize a model with."""
    return [example.predicted for example in islice((one for one in examples if len(one.predicted)), _SAMPLE)]


def _gold_labels(examples: Iterable[Example], key: str) -> set:
    return {span.label_ for example in examples for span in example.reference.spans.get(key, [])}
