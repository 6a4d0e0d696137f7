"""Why a script's updates cannot be read, said so that the reader can help."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from symgrad.errors import ParseError
from verify.scripts.flow import Flow, Found
from verify.scripts.source import Source
from verify.scripts.updates import Update
from verify.scripts.values import Call


def no_update(flow: Flow) -> ParseError:
    """The error for a script in which no parameter moves along the result of a function."""
    source = flow.source
    entry = next(
        (f.update for f in flow.updates if f.update.gradient is not None and not f.update.whole), None
    )
    if entry is not None:
        return _entry(entry, source)
    mixed = next((f.update for f in flow.updates if f.update.problem == "mixed"), None)
    if mixed is not None:
        return ParseError(
            f"The update of {mixed.name} adds terms of its own to the result of a function.",
            where=source.where(mixed.line),
            expected=f"{mixed.name} -= rate * gradient(...), with all of the gradient in the function",
            got=mixed.text,
            fix=f"move the terms into the function, or check the function as it stands: {_any_option(flow)}",
        )
    inline = next((f.update for f in flow.updates if f.loops and f.update.problem == "inline"), None)
    partial = next((f.update for f in flow.updates if f.update.gradient is not None), None)
    if inline is not None or partial is not None:
        update = inline if inline is not None else partial
        assert update is not None
        nested = _nested(source.tree)
        if nested is not None:
            return ParseError(
                f"The function {nested.name} is defined inside another function; only functions of the file are read.",
                where=source.where(nested.lineno),
                expected="forward, loss and gradient at the left margin of the file",
                got=f"{update.text} (line {update.line})",
                fix=f"move {nested.name} out of the function around it",
            )
        return ParseError(
            f"The gradient of {update.name} is written out in the script, not returned by a function.",
            where=source.where(update.line),
            expected=f"{update.name} -= rate * gradient(...)",
            got=update.text,
            fix="put the gradient in a function of its own and name it: " + source.option("gradient"),
        )
    return _nothing(flow)


def partly_in_update(
    update: Update, function: str, factor: str | None, rate: str, source: Source
) -> ParseError:
    """The error for an update line that completes the gradient with a sign or a factor."""
    if factor is not None:
        what = f"The update of {update.name} multiplies the result of {function} by {factor} besides the rate {rate}."
        expected = f"{update.name} -= rate * {function}(...), with all of the gradient in the function"
    else:
        what = f"The update of {update.name} adds the result of {function} instead of subtracting it."
        expected = f"{update.name} -= rate * {function}(...), one step down the loss"
    return ParseError(
        what,
        where=source.where(update.line),
        expected=expected,
        got=update.text,
        fix=f"to check {function} as it stands, name it: {source.option(function)}",
    )


def other_results(function: str, count: int, used: Sequence[Found], source: Source) -> ParseError:
    """The error for a gradient that returns more than the updates use."""
    names = ", ".join(found.update.name for found in used)
    return ParseError(
        f"{function} returns {count} results, of which the updates use {len(used)}.",
        where=source.where(used[0].update.line),
        expected="an update for each result",
        got=f"updates of {names}",
        fix=f"write a function that returns these gradients alone, or, if each result is a gradient, name what of: "
        f"{source.option(function)} --wrt NAME,NAME",
    )


def unreadable_call(call: Call, source: Source) -> ParseError:
    """The error for a call whose arguments do not fit the function, or are not written out."""
    return ParseError(
        f"The call of {call.function} cannot be read: {call.problem}.",
        where=source.where(call.line),
        expected="one value for each argument",
        got=call.text,
        fix=f"write the arguments of {call.function} out",
    )


def _entry(update: Update, source: Source) -> ParseError:
    return ParseError(
        f"The parameter {update.name} is kept in an object, a dict or a list; only variables are read.",
        where=source.where(update.line),
        expected="w -= rate * gradient(...)",
        got=update.text,
        fix="keep the parameters in variables of their own and pass them as arguments, or name the functions and "
        f'what they get: {source.option("gradient")} --of {source.option("loss")} --shapes "..." --wrt NAME',
    )


def _nothing(flow: Flow) -> ParseError:
    source = flow.source
    for name, node in flow.definitions.classes.items():
        line = _own_update(node)
        if line is not None:
            return ParseError(
                f"The class {name} updates its own attributes; parameters in objects are not read.",
                where=source.where(line),
                expected="functions that take the parameters as arguments, and w -= rate * gradient(...)",
                got=source.text.splitlines()[line - 1].strip(),
                fix=f"write the gradient as a function and name it: {source.option('gradient')}",
            )
    backward = next((n for n in ast.walk(source.tree) if _is_method(n, "backward")), None)
    if backward is not None:
        return ParseError(
            "The script leaves the gradient to an autograd; there is none written by hand to check.",
            where=source.where(source.line(backward)),
            expected="a function that returns the gradient, and w -= rate * gradient(...)",
            got=source.segment(backward),
            fix="check a model with verify.check_autograd(model, shapes, criterion=...)",
        )
    functions = flow.definitions.functions
    return ParseError(
        "No line updates a parameter with a gradient.",
        where=str(source.path),
        expected="w -= rate * gradient(...), in a loop or in a function that the script calls",
        got=f"functions {', '.join(functions)}" if functions else "no functions",
        fix=f"name the gradient and its parameter: {_any_option(flow)} --wrt NAME",
    )


def _any_option(flow: Flow) -> str:
    functions = list(flow.definitions.functions)
    likely = [name for name in functions if "grad" in name.lower() or "backward" in name.lower()]
    return flow.source.option(likely[0] if likely else "gradient")


def _nested(tree: ast.Module) -> ast.FunctionDef | None:
    """The first function that is defined inside another one."""
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef):
            for inner in ast.walk(outer):
                if isinstance(inner, ast.FunctionDef) and inner is not outer:
                    return inner
    return None


def _own_update(node: ast.ClassDef) -> int | None:
    for part in ast.walk(node):
        match part:
            case ast.AugAssign(target=ast.Attribute(value=ast.Name(id="self")), op=ast.Sub() | ast.Add()):
                return part.lineno
            case ast.Assign(targets=[ast.Attribute() as target], value=ast.BinOp(left=left, op=ast.Sub())):
                if ast.unparse(target) == ast.unparse(left):
                    return part.lineno
    return None


def _is_method(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
