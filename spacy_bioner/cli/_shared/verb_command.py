"""Commands whose `--help` shows options in groups."""

from typing import Any

from typer.core import TyperCommand

_PANELS = {
    "Settings": ("config", "profile"),
    "Data": ("labels", "dev", "held_out", "lang", "corpus", "split", "origin", "spans_key", "train", "gold"),
    "Running": ("seed", "gpu_id", "jobs", "engine", "overwrite", "dry_run", "resamples", "retry_truncated"),
}
_PANEL_OF = {name: panel for panel, names in _PANELS.items() for name in names}


class VerbCommand(TyperCommand):
    """Show settings, data and how a verb runs in groups of their own, the verb's further options before them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for parameter in self.params:
            if parameter.param_type_name == "option" and parameter.name in _PANEL_OF:
                parameter.rich_help_panel = _PANEL_OF[parameter.name]  # type: ignore[attr-defined]
