"""What a check of a corpus found: counts of each split, broken rules, and both as text."""

from dataclasses import dataclass
from typing import Dict, Tuple

# Rule: what its findings say.
RULES: Dict[str, str] = {
    "offsets": "mention outside its text, or with white space at its edges",
    "boundary": "mention that begins or ends inside a unit, where no pipeline can mark it",
    "repeated_mention": "same place and label twice in a record",
    "repeated_id": "id that is there twice",
    "two_splits": "sentence that occurs in two splits",
    "repeated_text": "text that is there twice in a split",
    "near_duplicate": "text that shares too many word trigrams with another",
    "unmarked": "surface that is annotated elsewhere, but neither here nor as a part of something longer",
    "nested": "too small a part of the mentions is nested",
    "surfaces": "too few distinct mentions",
    "unseen": "too small a part of the mentions of a split is new, judged by the train split",
    "empty": "too many or too few texts without a mention",
}


@dataclass(frozen=True)
class Finding:
    """One place where a rule is broken.

    rule (str): A key of `RULES`.
    place (str): Id of the record, name of the split, or "corpus".
    detail (str): What was found there.
    """

    rule: str
    place: str
    detail: str


@dataclass(frozen=True)
class SplitFigures:
    """Counts of one split.

    texts (int): Records.
    mentions (int): Mentions.
    nested (int): Mentions that lie inside a longer one.
    surfaces (int): Distinct mentions, case folded.
    empty (int): Texts without a mention.
    unseen (int): Mentions whose surface does not occur as a mention of train.
    labels (Dict[str, int]): Mentions of each label.
    """

    texts: int
    mentions: int
    nested: int
    surfaces: int
    empty: int
    unseen: int
    labels: Dict[str, int]


@dataclass(frozen=True)
class CorpusReport:
    """What the check found.

    splits (Dict[str, SplitFigures]): Counts of each split; one without any mention is raw text.
    surfaces (int): Distinct mentions of all splits, case folded.
    findings (Tuple[Finding, ...]): Broken rules, in the order of `RULES`.
    """

    splits: Dict[str, SplitFigures]
    surfaces: int
    findings: Tuple[Finding, ...] = ()

    def part(self, name: str, of: str) -> float:
        """Return the sum of one count over the annotated splits by that of another, 0 where there is none."""
        annotated = [figures for figures in self.splits.values() if figures.mentions]
        whole = sum(getattr(figures, of) for figures in annotated)
        return sum(getattr(figures, name) for figures in annotated) / whole if whole else 0.0


def format_report(report: CorpusReport, *, examples: int = 5) -> str:
    """Write a report as text.

    report (CorpusReport): What the check found.
    examples (int): How many places of each broken rule are shown.
    RETURNS (str): A line for each split, and the broken rules with their first places.
    """
    lines = [f"{name}: {_format_split(figures)}" for name, figures in report.splits.items()]
    lines.append(f"all: {report.surfaces} distinct mentions, {report.part('nested', 'mentions'):.1%} nested, "
                 f"{report.part('empty', 'texts'):.1%} of the annotated texts without a mention")
    for rule, meaning in RULES.items():
        broken = [finding for finding in report.findings if finding.rule == rule]
        if broken:
            lines.append(f"broken in {len(broken)} places: {meaning}" if len(broken) > 1 else f"broken: {meaning}")
            lines += [f"  {finding.place}: {finding.detail}" for finding in broken[:examples]]
    if not report.findings:
        lines.append("no rule is broken")
    return "\n".join(lines)


def _format_split(figures: SplitFigures) -> str:
    if not figures.mentions:
        return f"{figures.texts} texts without mentions"
    labels = ", ".join(f"{label} {count}" for label, count in figures.labels.items())
    return (f"{figures.texts} texts, {figures.mentions} mentions ({labels}), {figures.nested} nested, "
            f"{figures.surfaces} distinct, {figures.unseen} not in train, {figures.empty} texts without a mention")
