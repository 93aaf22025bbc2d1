"""The tools that an answer may need: pure, bounded, and never fed to an interpreter."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Literal, get_args

ToolName = Literal["calculate", "count", "reverse"]
NAMES: tuple[ToolName, ...] = get_args(ToolName)
LONGEST = 200
LARGEST = 10**30

_TWO_SIDED: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ONE_SIDED: Mapping[type[ast.unaryop], Callable[[Fraction], Fraction]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


class ToolError(Exception):
    """Raised when a tool cannot do what was asked; the text is for the user."""


def run(name: str, argument: str) -> str:
    """Run a tool, or raise ToolError."""
    match name:
        case "calculate":
            return _written(calculate(argument))
        case "count":
            return str(len(argument.split()))
        case "reverse":
            return argument[::-1]
    raise ToolError(f"there is no tool {name!r}")


def calculate(expression: str) -> Fraction:
    """Work out an expression of + - * / and brackets exactly."""
    if len(expression) > LONGEST:
        raise ToolError(f"the expression is longer than {LONGEST} characters")
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body)
    except ZeroDivisionError as error:
        raise ToolError("nothing can be divided by zero") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolError(f"{expression.strip()!r} is no expression") from error


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _bounded(Fraction(str(number)))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _TWO_SIDED:
            return _bounded(_TWO_SIDED[type(op)](_value(left), _value(right)))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _ONE_SIDED:
            return _ONE_SIDED[type(sign)](_value(operand))
    raise ToolError("only numbers, + - * / and brackets are worked out")


def _bounded(value: Fraction) -> Fraction:
    if abs(value.numerator) > LARGEST or value.denominator > LARGEST:
        raise ToolError("the numbers grow too large")
    return value


def _written(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.6g}"
