"""pydantic fields from the msgspec structs of the connectors, so that a field's rules stand in one place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import inspect
from pydantic import Field


def model_fields(struct: type[msgspec.Struct], *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A struct's fields as arguments of pydantic's `create_model`: name to (type with its rules, default)."""
    fields = {f.encode_name: f for f in msgspec.structs.fields(struct) if f.encode_name not in without}
    return {name: (_annotated(inspect.type_info(f.type)), _default(f)) for name, f in fields.items()}


def optional_field(struct: type[msgspec.Struct], name: str) -> Any:
    """One of those fields, made optional: (type, None)."""
    field = next(f for f in msgspec.structs.fields(struct) if f.encode_name == name)
    return _annotated(inspect.type_info(field.type)), None


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return Field(default_factory=field.default_factory)
    return ... if field.default is msgspec.NODEFAULT else field.default


def _annotated(kind: inspect.Type) -> Any:
    match kind:
        case inspect.UnionType(types=types):
            inner = next(t for t in types if not isinstance(t, inspect.NoneType))
            return _annotated(inner) | None
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            return Annotated[str, Field(min_length=least, max_length=most, pattern=pattern)]
        case inspect.FloatType(ge=least, le=most):
            return Annotated[float, Field(ge=least, le=most, allow_inf_nan=False)]
        case inspect.BoolType() | inspect.LiteralType():
            return Literal[tuple(kind.values)] if isinstance(kind, inspect.LiteralType) else bool
        case inspect.VarTupleType(item_type=item, max_length=most):
            return Annotated[list[_annotated(item)], Field(max_length=most)]  # type: ignore[misc]
        case inspect.DictType(key_type=key, value_type=value, max_length=most):
            return Annotated[dict[_annotated(key), _annotated(value)], Field(max_length=most)]  # type: ignore[misc]
        case _:
            raise TypeError(f"no rule is known for {type(kind).__name__}")
