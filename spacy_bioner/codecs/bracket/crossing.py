"""The fewest mentions to drop so that no two of the rest cross: the largest independent set of a circle graph."""

from typing import Dict, List, Sequence, Tuple

from ...annotation import Mention


def find_crossing(mentions: Sequence[Mention]) -> Tuple[Tuple[Mention, Mention], ...]:
    """Return the pairs that cross, whatever their labels, in text order."""
    pairs: List[Tuple[Mention, Mention]] = []
    open_: List[Mention] = []
    for mention in sorted(mentions, key=lambda mention: (mention.start, -mention.end)):
        open_ = [other for other in open_ if other.end > mention.start]
        pairs.extend((other, mention) for other in open_ if other.start < mention.start < other.end < mention.end)
        open_.append(mention)
    return tuple(pairs)


def drop_crossing(mentions: Sequence[Mention]) -> Tuple[Mention, ...]:
    """Choose the fewest mentions whose removal leaves none that cross.

    mentions (Sequence[Mention]): Mentions of one label.
    RETURNS (Tuple[Mention, ...]): The mentions to drop, in text order.
    """
    crossing = {mention for pair in find_crossing(mentions) for mention in pair}
    if not crossing:
        return ()
    kept = _largest_nested_set(sorted(crossing, key=lambda mention: (mention.start, -mention.end)))
    return tuple(mention for mention in mentions if mention in crossing and mention not in kept)


def _largest_nested_set(mentions: Sequence[Mention]) -> List[Mention]:
    """Supowit's recurrence over the end points, numbered so that only true crossings interleave.

    best[i][j] counts the mentions that can be kept between the points i and j.
    """
    starts = [(mention.start, 1, -mention.end, number) for number, mention in enumerate(mentions)]
    ends = [(mention.end, 0, -mention.start, -number) for number, mention in enumerate(mentions)]
    points = sorted(starts + ends)
    opened: Dict[int, int] = {}
    partner = [-1] * len(points)
    owner = [0] * len(points)
    for place, point in enumerate(points):
        number = abs(point[3])
        owner[place] = number
        if point[1] == 1:
            opened[number] = place
        else:
            partner[place] = opened[number]
    size = len(points)
    best = [[0] * (size + 1) for _ in range(size + 1)]
    for last in range(size):
        first = partner[last]
        for left in range(last, -1, -1):
            value = best[left][last]
            if first >= left:
                value = max(value, best[left][first] + 1 + best[first + 1][last])
            best[left][last + 1] = value
    return [mentions[owner[last]] for last in _trace(best, partner, size)]


def _trace(best: List[List[int]], partner: Sequence[int], size: int) -> List[int]:
    """Return the closing points of the mentions that reach the best count."""
    chosen: List[int] = []
    open_ranges = [(0, size)]
    while open_ranges:
        left, right = open_ranges.pop()
        while right > left and best[left][right] == best[left][right - 1]:
            right -= 1
        if right > left:
            first = partner[right - 1]
            chosen.append(right - 1)
            open_ranges += [(left, first), (first + 1, right - 1)]
    return chosen
