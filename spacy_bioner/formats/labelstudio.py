"""Label Studio: JSON tasks with predictions for annotators, and the annotations that are exported.

Offsets are those of JavaScript, which counts UTF-16 units.
"""

import json
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set

from ..annotation import Annotation, check_score, choose_id
from ..errors import BionerError, Errors
from ..files import open_atomic
from ..loading import read_json
from .parsing.lines import refuse_half_characters
from .parsing.problems import Problems, Written, strict_unless, untold
from .parsing.spans import Stated, ground_mentions, read_grounding
from .parsing.tool_records import hash_text, is_new, read_tool_details, sign_meta

# Names in the labelling interface: <Labels name="label" toName="text"> and <Text name="text" value="$text">.
_FROM, _TO = "label", "text"


def read_labelstudio(path: Path, *, problems: Optional[Problems] = None) -> Iterator[Annotation]:
    """Read an export: JSON, or JSON-MIN.

    path (Path): The file.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    YIELDS (Annotation): A task each. Of several annotations the one marked as ground truth counts, else the latest; of
        a task without any its prediction.
    RAISES BionerError: E011 for other JSON, E028 for half of a character, E030 for details of another type.
    """
    problems = strict_unless(problems)
    tasks = read_json(path, wanted="JSON of Label Studio")
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise BionerError(Errors.E011.format(path=path, wanted="JSON of Label Studio", why="it is no list of tasks"))
    seen: Set[str] = set()
    for number, task in enumerate(tasks, start=1):
        place = f"{path}, task {task.get('id', number)}"
        data = task.get("data") if isinstance(task.get("data"), dict) else task
        text = data.get("text")
        if not isinstance(text, str):
            problems.add("without_text", place, "under data.text")
            continue
        chosen = _choose_annotation(task, place, problems)
        regions = _read_list(chosen.get("result"), place, problems)
        mentions = ground_mentions(text, _count_code_points(text, list(_read_regions(regions, place, problems)), place,
                                                            problems), problems=problems)
        id = choose_id(data.get("id") if data is not task else None, str(task.get("id", number)))
        meta = sign_meta(data.get("meta"), chosen.get("completed_by"), chosen.get("updated_at"))
        annotation = Annotation(text, mentions, id=id, meta=meta)
        refuse_half_characters(annotation, place)
        if is_new(annotation, data.get("text_hash"), seen, place, problems):
            yield annotation


def write_labelstudio(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
                      written: Written = untold) -> int:
    """Write tasks for import, with the mentions as predictions and their scores.

    path (Path): The file.
    annotations (Iterable[Annotation]): The records.
    problems (Optional[Problems]): Unused, the format holds all that a record has.
    written (Written): Is told each record as it was written, before the next is taken.
    RETURNS (int): How many were written.
    """
    count = 0
    with open_atomic(path) as file_:
        for annotation in annotations:
            file_.write(("[\n" if not count else ",\n") + json.dumps(_to_task(annotation), ensure_ascii=False))
            count += 1
            written(annotation)
        file_.write("\n]\n" if count else "[]\n")
    return count


def _choose_annotation(task: Dict[str, Any], place: str, problems: Problems) -> Dict[str, Any]:
    """Return the annotation or prediction that counts."""
    listed = task.get(_FROM)
    # JSON-MIN leaves out what is empty.
    if "data" not in task and (isinstance(listed, list) or listed is None and task.get("annotation_id") is not None):
        return {"result": [{"type": "labels", "value": value} for value in listed or ()],
                "completed_by": task.get("annotator"), "updated_at": task.get("updated_at")}
    found = task.get("annotations") or task.get("completions")
    listed = [one for one in _read_list(found, place, problems) if isinstance(one, dict)]
    done = [one for one in listed if not one.get("was_cancelled")]
    if listed and not done:
        problems.add("not_accepted", place, f"{len(listed)} annotations")
    if done:
        best = max(done, key=lambda one: (bool(one.get("ground_truth")), str(one.get("updated_at") or "")))
        if len(listed) > 1:
            problems.add("other_annotator", place, f"{len(listed) - 1} annotations")
        return best
    predictions = [one for one in _read_list(task.get("predictions"), place, problems) if isinstance(one, dict)]
    if predictions:
        problems.add("from_predictions", place)
        return {"result": predictions[-1].get("result")}
    problems.add("no_annotation", place)
    return {}


def _read_list(held: Any, place: str, problems: Problems) -> List[Any]:
    if held and not isinstance(held, list):
        problems.add("bad_line", place, str(held)[:60])
        return []
    return held or []


def _read_regions(regions: List[Any], place: str, problems: Problems) -> Iterator[Stated]:
    """Yield the labelled regions; what is attached to one by its id becomes attribute or note."""
    attached: Dict[str, Dict[str, Any]] = {}
    for region in regions:
        value = region.get("value") if isinstance(region, dict) else None
        if isinstance(value, dict) and region.get("id") and region.get("type") in ("choices", "textarea", "rating"):
            attached.setdefault(str(region["id"]), {})[str(region.get("from_name"))] = value.get(region["type"],
                                                                                            value.get("text"))
    for region in regions:
        kind = region.get("type") if isinstance(region, dict) else None
        value = region.get("value") if isinstance(region, dict) else None
        if kind == "relation":
            problems.add("relation", place)
        elif kind in ("choices", "textarea", "rating"):
            continue
        elif not isinstance(value, dict) or not (labels := _read_labels(value)):
            problems.add("bad_line", place, str(region)[:60])
        else:
            held = region.get("meta") if isinstance(region.get("meta"), dict) else {}
            attributes = held.get("attributes") or {}
            if isinstance(attributes, dict):
                attributes = {**attributes, **attached.get(str(region.get("id")), {})}
            note = "\n".join(map(str, held["text"])) if isinstance(held.get("text"), list) else None
            details = read_tool_details({"ids": held.get("ids"), "attributes": attributes or None, "note": note}, place)
            for label in labels:
                yield Stated(value["start"], value["end"], label, value.get("text"), place, score=_score(region, place),
                             grounding=read_grounding(held.get("grounding"), place, problems), details=details)


def _read_labels(value: Dict[str, Any]) -> List[str]:
    """Return the labels of a region; none where it is not of the types that a labelled region has."""
    labels: Any = value.get("labels") or value.get("hypertextlabels")
    fits = all(type(value.get(key)) is int for key in ("start", "end")) and isinstance(labels, list) \
        and isinstance(value.get("text"), (str, type(None))) \
        and all(isinstance(label, str) and label.strip() for label in labels)
    return labels if fits else []


def _score(region: Dict[str, Any], place: str) -> Optional[float]:
    try:
        return check_score(region.get("score"))
    except BionerError as error:
        raise BionerError(Errors.E030.format(place=place, why=error)) from None


def _count_code_points(text: str, stated: List[Stated], place: str, problems: Problems) -> List[Stated]:
    """Turn UTF-16 units into code points.

    text (str): The text.
    stated (List[Stated]): The regions; where their own texts only fit offsets in code points, they were written by
        a program that counts so.
    place (str): File and task, for problems.
    problems (Problems): Takes note of a task that counts code points.
    RETURNS (List[Stated]): The regions with offsets in code points, beyond the text where they are in no character.
    """
    starts = _units(text)
    if starts[-1] == len(text):
        return stated
    places = {units: number for number, units in enumerate(starts)}
    recounted = [replace(one, start=places.get(one.start, len(text) + 1), end=places.get(one.end, len(text) + 1))
                 for one in stated]
    if not all(map(partial(_fits, text), recounted)) and all(map(partial(_fits, text), stated)):
        problems.add("other_counting", place, "the task counts code points")
        return stated
    return recounted


def _fits(text: str, one: Stated) -> bool:
    return one.surface is not None and text[one.start:one.end] == one.surface


def _units(text: str) -> List[int]:
    """Return how many UTF-16 units lie before each character, and before the end."""
    return [0, *accumulate(2 if ord(character) > 0xFFFF else 1 for character in text)]


def _to_task(annotation: Annotation) -> Dict[str, Any]:
    starts = _units(annotation.text)
    result = []
    for number, mention in enumerate(annotation.mentions, start=1):
        value = {"start": starts[mention.start], "end": starts[mention.end], "text": annotation.surface(mention),
                 "labels": [mention.label]}
        region: Dict[str, Any] = {"id": f"T{number}", "from_name": _FROM, "to_name": _TO, "type": "labels",
                                  "value": value}
        if mention.score is not None:
            region["score"] = round(mention.score, 6)
        held = mention.details()
        if mention.grounding is not None:
            held["grounding"] = mention.grounding
        if "note" in held:
            held["text"] = [held.pop("note")]
        if held:
            region["meta"] = held
        result.append(region)
    scores = [mention.score for mention in annotation.mentions if mention.score is not None]
    prediction: Dict[str, Any] = {"model_version": str(annotation.meta.get("model", "spacy-bioner")), "result": result}
    if scores:
        # The tool sorts tasks by this one; the least certain mention says most of a task.
        prediction["score"] = round(min(scores), 6)
    data = {"text": annotation.text, "id": annotation.id, "text_hash": hash_text(annotation.text)}
    return {"data": {**data, "meta": annotation.meta} if annotation.meta else data, "predictions": [prediction]}
