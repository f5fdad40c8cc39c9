"""The losses of a selector: is a candidate right, and is it better than its neighbours."""

from collections import defaultdict
from typing import Dict, Hashable, List, Optional, Sequence, Tuple

import numpy


def candidate_loss(logits: numpy.ndarray, valid: Sequence[bool], groups: Sequence[Optional[Hashable]], *,
                   contrast: float) -> Tuple[float, numpy.ndarray]:
    """Mean cross-entropy of the candidates, and a contrastive loss within groups.

    logits (numpy.ndarray): One a candidate.
    valid (Sequence[bool]): Whether each is gold.
    groups (Sequence[Optional[Hashable]]): Candidates of one gold mention share a value; None stands alone. May be
        empty.
    contrast (float): Weight of the second loss: minus the log of the gold mention's share of its group, by softmax.
    RETURNS (Tuple[float, numpy.ndarray]): The loss and its gradient by the logits.
    """
    wanted = numpy.asarray(valid, dtype="float32")
    scale = 1 / max(1, len(wanted))
    probability = 1 / (1 + numpy.exp(-numpy.clip(logits, -60, 60)))
    gradient = (probability - wanted) * scale
    loss = float(numpy.logaddexp(0, numpy.where(wanted > 0, -logits, logits)).sum() * scale)
    if contrast:
        members: Dict[Hashable, List[int]] = defaultdict(list)
        for place, group in enumerate(groups):
            if group is not None:
                members[group].append(place)
        compared = [places for places in members.values() if len(places) > 1 and wanted[places].any()]
        for places in compared:
            share = numpy.exp(logits[places] - logits[places].max())
            share /= share.sum()
            target = wanted[places] / wanted[places].sum()
            loss += contrast / len(compared) * float(-(target * numpy.log(share + 1e-9)).sum())
            gradient[places] += contrast / len(compared) * (share - target)
    return loss, gradient.astype("float32")
