"""Commands that take settings as `--section.key value` beside their own options."""

from typing import Any, List, Tuple

from .verb_command import VerbCommand


class OverridableCommand(VerbCommand):
    """Leave dotted options in `ctx.args`, for `read_overrides`; any other unknown option is refused as usual."""

    def parse_args(self, ctx: Any, args: List[str]) -> List[str]:
        own, overrides = split_overrides(args)
        super().parse_args(ctx, own)
        ctx.args = overrides
        return ctx.args

    def collect_usage_pieces(self, ctx: Any) -> List[str]:
        return [*super().collect_usage_pieces(ctx), "[--SECTION.KEY VALUE]..."]


def split_overrides(args: List[str]) -> Tuple[List[str], List[str]]:
    """Separate overrides from what else stands on a command line.

    args (List[str]): The command line after the name of the command.
    RETURNS (Tuple[List[str], List[str]]): The other arguments, and the dotted options with their values.
    """
    own: List[str] = []
    overrides: List[str] = []
    rest: List[Any] = list(args)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return [*own, argument, *rest], overrides
        if not argument.startswith("--") or "." not in argument.partition("=")[0]:
            own.append(argument)
            continue
        overrides.append(argument)
        if "=" not in argument and rest:
            overrides.append(rest.pop(0))
    return own, overrides
