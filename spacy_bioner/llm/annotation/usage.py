"""What a run has cost and met: counted as it goes, said in one line at its end."""

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Callable, Dict, Mapping, Optional
from typing import Counter as CounterType

from ...locks import ThreadLock

# Counts whose names in the cache say less than a reader needs.
_WORDS = {"passes": "forward passes"}


@dataclass
class Usage:
    """Counts of a run.

    documents (int): Documents that came out.
    failed (int): Those among them that were set aside with a reason.
    asked (int): Requests that a model was asked.
    cached (int): Requests answered from the cache.
    damaged (int): Cached replies that were damaged, and asked for again.
    seconds (float): Time spent waiting for models.
    model (Counter): What replies say they cost: prompt_tokens, answer_tokens, passes or requests, retries.
    issues (Counter): Kinds of issues met in replies.
    on_reply (Optional[Callable[[], None]]): Called for each reply of a model as it comes, long before its document may.
    """

    documents: int = 0
    failed: int = 0
    asked: int = 0
    cached: int = 0
    damaged: int = 0
    seconds: float = 0.0
    model: CounterType[str] = field(default_factory=Counter)
    issues: CounterType[str] = field(default_factory=Counter)
    on_reply: Optional[Callable[[], None]] = field(default=None, repr=False, compare=False)
    _lock: ThreadLock = field(default_factory=ThreadLock, repr=False, compare=False)

    def add(self, *, issues: Mapping[str, int] = MappingProxyType({}), **counts: float) -> None:
        """Add to counts, from whatever thread.

        issues (Mapping[str, int]): Kinds of issues met, and how often.
        counts (float): Names of the other counts, and what is added to each.
        """
        with self._lock:
            self.issues.update(issues)
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)

    def add_reply(self, usage: Mapping[str, float]) -> None:
        """Add what one reply cost; its seconds are left out, since replies are waited for together."""
        with self._lock:
            self.model.update({key: value for key, value in usage.items() if key != "seconds"})
        if self.on_reply is not None:
            self.on_reply()

    def to_dict(self) -> Dict[str, Any]:
        """Return the counts, for JSON."""
        return {"documents": self.documents, "failed": self.failed, "asked": self.asked, "cached": self.cached,
                "damaged": self.damaged, "seconds": round(self.seconds, 3), "model": dict(self.model),
                "issues": dict(self.issues)}

    def summary(self) -> str:
        """Return one line without text of documents."""
        parts = [f"{self.documents} documents", f"{self.failed} set aside",
                 f"{self.asked} requests asked, {self.cached} from the cache", f"{self.seconds:.1f} s in the model"]
        parts += [f"cost {value:,.4f}" if key == "cost" else f"{value:,.0f} {_WORDS.get(key, key.replace('_', ' '))}"
                  for key, value in sorted(self.model.items())]
        if self.damaged:
            parts.append(f"{self.damaged} damaged replies asked again")
        met = ", ".join(f"{kind} {count}" for kind, count in self.issues.most_common())
        return "; ".join([*parts, f"issues: {met or 'none'}"])
