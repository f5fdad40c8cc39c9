"""The verb verify: what can be said of the wheel of a pipeline before it is installed."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence

import typer

from ..errors import BionerError, Errors
from ._shared.scores.systems import System, read_annotations, read_answers

if TYPE_CHECKING:
    from ..annotation import Annotation
    from ..packaging.wheel_checks import Check
    from ..packaging.wheel_file import WheelFile


def verify_cli(
    wheel: Path = typer.Argument(..., help="Wheel of a pipeline, as `package` builds it."),
    test: Optional[Path] = typer.Option(None, help="Gold test documents: were they trained on, and is F1 what the card "
                                                   "says?"),
) -> None:
    """Check a wheel before it is installed: hashes, licence, versions, code, training texts.

    No code of the wheel is run. With --test its pipeline is loaded and scored, if versions, code and config pass.

    Example: spacy-bioner verify packages/en_bioner_notes-0.1.0-py3-none-any.whl --test test.jsonl

    Prints the result of each check; exit code 1 where one failed.
    """
    checks = verify(wheel, read_annotations(test) if test is not None else None)
    for check in checks:
        typer.echo(f"{'FAILED' if check.failed else 'ok':<8}{check.name}: {check.said}")
    failed = [check.name for check in checks if check.failed]
    if failed:
        raise BionerError(Errors.E810.format(path=wheel, count=len(failed), names=", ".join(failed)))


def verify(path: Path, test: "Optional[Sequence[Annotation]]") -> "List[Check]":
    """Check a wheel.

    path (Path): The wheel.
    test (Optional[Sequence[Annotation]]): Gold test documents.
    RETURNS (List[Check]): What was found; only the hashes where these are wrong.
    RAISES BionerError: E001, E809, E811, E812 for what cannot be read.
    """
    from ..packaging.wheel_checks import Check, check_hashes, list_checks
    from ..packaging.wheel_file import WheelFile
    from ..packaging.wheel_meta import read_card, read_meta

    wheel = WheelFile.open(path)
    hashes = check_hashes(wheel)
    if hashes.failed:
        return [hashes]
    meta = read_meta(wheel)
    checks = [hashes, *list_checks(wheel, meta, test)]
    if test is not None:
        # What is wrong with versions, code or config may keep the pipeline from being safe to load, or loading at all.
        unsafe = [check.name for check in checks if check.failed and check.name in ("versions", "code", "config")]
        if unsafe:
            checks.append(Check("F1", False, f"not measured, since {' and '.join(unsafe)} failed"))
        else:
            checks.append(_measure(wheel, read_card(meta), test))
    return checks


def _measure(wheel: "WheelFile", card: "Mapping[str, Any]", test: "Sequence[Annotation]") -> "Check":
    """Compare F1, and the recall of each label, with the card; of its files alone: the package is not imported."""
    from ..evaluation.metrics import Sampling, evaluate
    from ..evaluation.pairing import pair_documents
    from ..packaging.recall_promise import measure_promised
    from ..packaging.wheel_checks import Check, check_scores
    from ..temporaries import private_folder

    with private_folder("spacy-bioner-verify") as folder:
        wheel.unpack(wheel.pipeline(), Path(folder))
        try:
            answers = read_answers(System("wheel", Path(folder)), test)
        except BionerError as error:
            return Check("F1", True, str(error).replace(str(folder), str(wheel.path)))
    pairs, _ = pair_documents(test, answers.annotations, system="wheel")
    sampling = Sampling(resamples=2_000, seed=0)
    micro = evaluate(test, answers.annotations, sampling=sampling)["micro"]
    return check_scores(card, [micro["f1"], *micro["intervals"]["f1"]], measure_promised(pairs, sampling=sampling))
