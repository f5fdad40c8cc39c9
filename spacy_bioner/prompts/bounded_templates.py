"""Templates run in Jinja's sandbox with bounds: on steps, on what they write, on what they build on the way, on time.

Loops and macros count a step each time their body runs, and each output counts its characters: filters that the
compiler of the template puts in do so, which no template can redefine.
"""

import re
import time
from contextvars import ContextVar
from typing import Any, Callable, Dict, List, Mapping, Optional

from jinja2 import StrictUndefined, Template, TemplateError, nodes, pass_context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from ..errors import BionerError, Errors

# What Jinja raises itself, and what expressions in a template can raise. NotImplementedError comes from its compiler,
# for a construct that it does not know.
FAULTS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError,
          MemoryError, SyntaxError, NotImplementedError)
MOST_CHARACTERS = 20_000_000
MOST_STEPS = 100_000
MOST_SECONDS = 10.0
# Product of the sizes of the arguments of one call or operation; and elements looked at to find a size.
MOST_WORK = 100_000_000
_MOST_ELEMENTS = 1_000_000
_LARGEST_TEMPLATE = 1_000_000
_WIDE_FORMAT = re.compile(r"[\d*]{5,}|\*")


class _Exceeded(TemplateError):
    """A template goes beyond its bounds."""


class _Budget:
    """What a rendering may still use."""

    def __init__(self) -> None:
        self.steps = MOST_STEPS
        self.characters = MOST_CHARACTERS
        self.ends = time.monotonic() + MOST_SECONDS

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise _Exceeded(f"it runs more than {MOST_STEPS} steps of loops and macros")
        if time.monotonic() > self.ends:
            raise _Exceeded(f"it takes more than {MOST_SECONDS:.0f} s")

    def write(self, count: int) -> None:
        self.characters -= count
        if self.characters < 0:
            raise _Exceeded(f"it writes more than {MOST_CHARACTERS} characters")


_BUDGET: ContextVar[Optional[_Budget]] = ContextVar("budget", default=None)


# With the context, so that the optimizer of Jinja does not count once, when it compiles.
@pass_context
def _count_step(_: Any, value: int) -> str:
    budget = _BUDGET.get()
    if budget is not None:
        budget.step()
        budget.write(value)
    return ""


@pass_context
def _count_output(_: Any, value: Any) -> Any:
    _check_work((value,))
    text = value if isinstance(value, str) else str(value)
    budget = _BUDGET.get()
    if budget is not None:
        budget.write(len(text))
    return value


def _size(value: Any, left: List[int]) -> int:
    """Return how large a value is: characters of texts, elements with what they hold, the number itself."""
    left[0] -= 1
    if left[0] < 0:
        raise _Exceeded("it builds a value that is too large")
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, bool) or value is None:
        return 1
    if isinstance(value, int):
        return abs(value)
    if isinstance(value, dict):
        return sum(_size(key, left) + _size(item, left) for key, item in value.items()) + 1
    if isinstance(value, (list, tuple, set, frozenset)):
        return sum(_size(item, left) if not isinstance(item, int) else 1 for item in value) + 1
    return 1


def _check_work(values: Any) -> None:
    """Refuse an operation whose result, or whose work, may be as large as the product of its arguments."""
    work, left = 1, [_MOST_ELEMENTS]
    for value in values:
        work *= max(_size(value, left), 1)
        if work > MOST_WORK:
            raise _Exceeded("it builds a value that is too large")
    budget = _BUDGET.get()
    if budget is not None:
        budget.step()


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter whose arguments are checked."""
    def call(*args: Any, **kwargs: Any) -> Any:
        values = [*args, *kwargs.values()]
        _check_work(values)
        _check_format(values)
        return function(*args, **kwargs)

    for name in ("jinja_pass_arg", "jinja_async_variant"):
        if hasattr(function, name):
            setattr(call, name, getattr(function, name))
    return call


def _check_format(values: Any) -> None:
    if values and any(isinstance(value, str) and "%" in value and _WIDE_FORMAT.search(value) for value in values[:2]):
        raise _Exceeded("it formats with a width that is too large")


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox with bounds: no attribute tricks, no undefined names, no endless work."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, keep_trailing_newline=False, trim_blocks=True,
                         lstrip_blocks=True, autoescape=False)
        self.globals.pop("lipsum", None)
        self.filters = {name: _bounded(function) for name, function in self.filters.items()}
        self.filters.update(_count_step=_count_step, _count_output=_count_output)

    def _parse(self, source: str, name: Optional[str], filename: Optional[str]) -> nodes.Template:
        if len(source) > _LARGEST_TEMPLATE:
            raise _Exceeded("the template is too long")
        tree = super()._parse(source, name, filename)
        _JoinCounter().visit(tree)
        # First what the template writes and joins, then the steps, whose own counting is no output.
        for output in tree.find_all(nodes.Output):
            output.nodes = [part if isinstance(part, nodes.TemplateData) else _filter(part, "_count_output")
                            for part in output.nodes]
        for body in tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock, nodes.AssignBlock)):
            data = sum(len(part.data) for output in body.find_all(nodes.Output) for part in output.nodes
                       if isinstance(part, nodes.TemplateData))
            inner: Any = body
            inner.body.insert(0, nodes.Output([_filter(nodes.Const(data), "_count_step")], lineno=body.lineno))
        return tree

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            _check_work((left.bit_length(), right))
        elif operator in ("*", "+") and not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            _check_work((left, right) if operator == "*" else ((left, right),))
        elif operator == "*" and isinstance(left, int) and isinstance(right, int):
            _check_work((left.bit_length(), right.bit_length()))
        elif operator == "%" and isinstance(left, str):
            _check_format((left,))
            _check_work((left, right))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        owner = getattr(obj, "__self__", None)
        values = [*([owner] if isinstance(owner, (str, list, tuple, dict)) else []), *args, *kwargs.values()]
        if obj is not self.globals.get("range"):
            _check_work(values)
        return super().call(context, obj, *args, **kwargs)


class _JoinCounter(NodeTransformer):
    """Counts what `~` joins, which is no operation that the sandbox intercepts."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        visited: Any = self.generic_visit(node)
        return _filter(visited, "_count_output")


def _filter(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=getattr(node, "lineno", 1))


def compile_template(source: str, *, name: str) -> Template:
    """Compile a template.

    source (str): Its text.
    name (str): Its name or path, for messages.
    RETURNS (Template): The template.
    RAISES BionerError: E104 where it is no template.
    """
    try:
        return BoundedEnvironment().from_string(source)
    except FAULTS as error:
        raise BionerError(Errors.E104.format(name=name, why=_say(error))) from None


def render_blocks(template: Template, variables: Mapping[str, Any], *, name: str) -> Dict[str, str]:
    """Render the blocks of a template.

    template (Template): From `compile_template`.
    variables (Mapping[str, Any]): What it may use.
    name (str): Its name or path, for messages.
    RETURNS (Dict[str, str]): Block to text, without line breaks at the ends.
    RAISES BionerError: E104 where it fails or goes beyond its bounds.
    """
    token = _BUDGET.set(_Budget())
    try:
        context = template.new_context(dict(variables))
        return {block: "".join(render(context)).strip("\n") for block, render in template.blocks.items()}
    except FAULTS as error:
        raise BionerError(Errors.E104.format(name=name, why=_say(error))) from None
    finally:
        _BUDGET.reset(token)


def _say(error: BaseException) -> str:
    """Return what went wrong, on one line."""
    if isinstance(error, RecursionError):
        return "it nests or calls itself too deeply"
    return " ".join(str(error).split()) or type(error).__name__
