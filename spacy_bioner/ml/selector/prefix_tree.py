"""Rows that begin alike as one tree of pieces: under causal attention a common beginning has to be read only once.

A piece sees itself and the pieces before it in its row, which are its ancestors in the tree. So one pass over the tree
gives each row's states as a pass over the row alone would, but for rounding.
"""

from dataclasses import dataclass, field
from typing import Dict, List, Sequence, Tuple

import torch

# Pieces of a tree, on a GPU too: every piece is attended to every other and most are hidden, so larger trees cost more
# than the beginnings that they share in addition save.
MOST_PIECES = 1024
# Rows that tell a model which reads trees from others: a beginning, and two ways to go on.
_PROBE = [tuple(range(1, 13)), (*range(1, 7), *range(20, 26))]
_NEAR = 1e-3


@dataclass
class PrefixTree:
    """Rows as a tree. Every piece stands behind the one before it.

    ids (List[int]): The pieces.
    depths (List[int]): For each its place in its rows.
    parents (List[int]): For each the number of the piece before it, -1 for a first one.
    rows (List[int]): Indices of the rows, in the order in which they were planted.
    ends (List[int]): For each of these the number of its last piece.
    """

    ids: List[int] = field(default_factory=list)
    depths: List[int] = field(default_factory=list)
    parents: List[int] = field(default_factory=list)
    rows: List[int] = field(default_factory=list)
    ends: List[int] = field(default_factory=list)
    _children: Dict[Tuple[int, int], int] = field(default_factory=dict, repr=False)

    def missing(self, pieces: Sequence[int]) -> int:
        """Return how many pieces the tree would grow by."""
        return len(pieces) - self._known(pieces)[1]

    def plant(self, row: int, pieces: Sequence[int]) -> None:
        """Add a row.

        row (int): Its index.
        pieces (Sequence[int]): Its pieces, one at least.
        """
        last, known = self._known(pieces)
        for depth in range(known, len(pieces)):
            number = len(self.ids)
            self._children[last, pieces[depth]] = number
            self.ids.append(pieces[depth])
            self.depths.append(depth)
            self.parents.append(last)
            last = number
        self.rows.append(row)
        self.ends.append(last)

    def visible(self) -> torch.Tensor:
        """Return (pieces, pieces), whether the first sees the second."""
        sees = torch.eye(len(self.ids), dtype=torch.bool)
        for place, parent in enumerate(self.parents):
            if parent >= 0:
                sees[place] |= sees[parent]
        return sees

    def _known(self, pieces: Sequence[int]) -> Tuple[int, int]:
        """Return the last piece that the tree has of a row, and how many it has of it."""
        last = -1
        for depth, piece in enumerate(pieces):
            if (last, piece) not in self._children:
                return last, depth
            last = self._children[last, piece]
        return last, len(pieces)


def grow_trees(rows: Sequence[Sequence[int]], most: int = MOST_PIECES) -> List[PrefixTree]:
    """Put rows into trees, those that begin alike together.

    rows (Sequence[Sequence[int]]): The pieces of each row.
    most (int): Most pieces of a tree; a longer row is a tree of its own.
    RETURNS (List[PrefixTree]): The trees; each row stands in one of them.
    """
    trees: List[PrefixTree] = []
    for row in sorted(range(len(rows)), key=lambda row: tuple(rows[row])):
        if not trees or len(trees[-1].ids) + trees[-1].missing(rows[row]) > most:
            trees.append(PrefixTree())
        trees[-1].plant(row, rows[row])
    return trees


def last_states(transformer: torch.nn.Module, tree: PrefixTree) -> torch.Tensor:
    """Read a tree.

    transformer (torch.nn.Module): A causal model without its language head.
    tree (PrefixTree): The rows.
    RETURNS (torch.Tensor): The states of the rows' last pieces, (rows, width), in the order of `tree.rows`.
    """
    weight = transformer.get_input_embeddings().weight
    # Additive: of the kinds that attention takes, the one that all its implementations know.
    hidden = torch.zeros(len(tree.ids), len(tree.ids), dtype=weight.dtype).masked_fill_(
        ~tree.visible(), torch.finfo(weight.dtype).min)
    places = torch.tensor(tree.depths, device=weight.device)
    states = transformer(input_ids=torch.tensor([tree.ids], device=weight.device), position_ids=places[None],
                         attention_mask=hidden[None, None].to(weight.device), use_cache=False).last_hidden_state
    return states[0, torch.tensor(tree.ends, device=weight.device)]


def reads_trees(transformer: torch.nn.Module) -> bool:
    """Ask a model whether it reads a tree as it reads the rows, by trying.

    It does where position ids say where a piece stands and the mask what it sees. It does not where the places are told
    from the order in the pass (ALiBi), or what came before is carried along in a state.

    transformer (torch.nn.Module): A causal model without its language head.
    RETURNS (bool): Whether the states of both are the same.
    """
    was_training = transformer.training
    transformer.eval()
    device = transformer.get_input_embeddings().weight.device
    try:
        with torch.no_grad():
            alone = torch.stack([transformer(input_ids=torch.tensor([row], device=device)).last_hidden_state[0, -1]
                                 for row in _PROBE])
            tree, = grow_trees(_PROBE)
            together = last_states(transformer, tree)[torch.tensor(tree.rows).argsort().to(device)]
    except (TypeError, ValueError, RuntimeError, IndexError):
        # What models say that know no such mask or no position ids.
        return False
    finally:
        transformer.train(was_training)
    return bool((together - alone).abs().max() <= _NEAR * alone.abs().max())
