"""Components that take their vectors from an encoder elsewhere in the pipeline, as spaCy's listeners do.

A listener asked by itself has nothing to hear: it answers with zeros, and nobody is told.
"""

from typing import Any, Iterator, List, Mapping, Sequence

from spacy.language import Language
from spacy.tokens import Doc


def heard_by(nlp: Language, component: str) -> List[str]:
    """Return names of the encoders in a pipeline that a component listens to."""
    return [name for name, pipe in nlp.pipeline if component in getattr(pipe, "listening_components", ())]


def encode_for(nlp: Language, component: str, docs: Sequence[Doc], *, batch_size: int = 64) -> None:
    """Let the encoders that a component listens to read Docs; of a component with its own encoder nothing is needed.

    nlp (Language): The pipeline.
    component (str): Name of the component.
    docs (Sequence[Doc]): Docs that the component is to be asked of by itself.
    batch_size (int): Docs read at once.
    """
    for name in heard_by(nlp, component):
        for start in range(0, len(docs), batch_size):
            batch = docs[start:start + batch_size]
            encoder: Any = nlp.get_pipe(name)
            encoder.set_annotations(batch, encoder.predict(batch))


def take_encoders(nlp: Language, component: str) -> None:
    """Give a component its own copy of the encoders that it listens to, so that it can be put into another pipeline.

    nlp (Language): The pipeline.
    component (str): Name of the component.
    """
    for name in heard_by(nlp, component):
        paths = list(_listeners(nlp.get_pipe_config(component)["model"], "model"))
        nlp.replace_listeners(name, component, paths)


def _listeners(config: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield where in the config of a component its listeners stand."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            place = f"{path}.{key}"
            if "Listener" in str(value.get("@architectures", "")):
                yield place
            else:
                yield from _listeners(value, place)
