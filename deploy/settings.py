"""Write `docs/settings.md`, every setting of every channel, from the classes: `python -m deploy.settings`."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from connectors import Channel, Secret, Settings, channel_type, kinds
from hub.limits import WebLimits

FILE = Path(__file__).parent.parent / "docs" / "settings.md"
HEAD = """# Settings of channels, and limits

Written from the classes by `make golden`. The settings of the hub itself stand in the
[interface](interface.md#settings).

Each account is a table of `channels.toml` with `kind`, `owner` and, if it shall not be active, `state`, and these
settings. `satupintu channels new KIND` prints one to paste. A secret is `env:NAME`, `file:PATH`, or the value.
"""


def page() -> str:
    """The whole page."""
    sections = [_section(channel_type(kind)) for kind in kinds()]
    return "\n".join([HEAD, *sections, _limits()])


def _section(channel: type[Channel]) -> str:
    lines = [f"## {channel.kind}\n", *_table(channel.settings_type)]
    if channel.outbound_settings:
        names = ", ".join(f"`{name}`" for name in channel.outbound_settings)
        lines.append(f"\nWithout {names} nothing can be sent, and what is owed waits.")
    if channel.template:
        lines += ["\n```toml", channel.template.strip(), "```"]
    return "\n".join(lines) + "\n"


def _limits() -> str:
    head = inspect.getdoc(inspect.getmodule(WebLimits)) or ""
    return "\n".join(["## Limits\n", head + "\n", *_table(WebLimits, "limit_")]) + "\n"


def _table(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    docs = _docs(struct)
    yield "| setting | kind | default | meaning |"
    yield "|---|---|---|---|"
    for field in msgspec.structs.fields(struct):
        kind, described = _annotated(field.type)
        words = (described or docs.get(field.name, "")).replace("\n", " ").replace("|", "\\|")
        yield f"| `{prefix}{field.encode_name}` | {_kind(kind)} | {_default(field)} | {words} |"


def _docs(struct: type) -> Mapping[str, str]:
    """The docstring behind each field, of the class and of those that it stands on."""
    found: dict[str, str] = {}
    for part in reversed(struct.__mro__):
        if part in (object, msgspec.Struct, Settings) or not part.__module__.startswith(("connectors", "hub")):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(part))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, doc in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
                found[ast.unparse(field.target)] = inspect.cleandoc(str(doc.value.value))
    return found


def _annotated(annotation: Any) -> tuple[Any, str]:
    """The type itself, and the description that it carries."""
    if get_origin(annotation) is not Annotated:
        return annotation, ""
    kind, *extras = get_args(annotation)
    return kind, next((e.description for e in extras if isinstance(e, msgspec.Meta) and e.description), "")


CONTAINERS: Mapping[Any, str] = {dict: "table", Mapping: "table", tuple: "list", list: "list"}


def _kind(annotation: Any) -> str:
    if annotation is Secret or Secret in getattr(annotation, "__args__", ()):
        return "secret" if annotation is Secret else "list of secrets"
    if type(None) in get_args(annotation):
        [annotation] = (kind for kind in get_args(annotation) if kind is not type(None))
    names = {str: "text", int: "number", float: "number", bool: "true or false"}
    if annotation in names:
        return names[annotation]
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_kind, get_args(annotation))))
    if origin in CONTAINERS:
        return CONTAINERS[origin]
    choices = getattr(annotation, "__args__", ())
    return " or ".join(f"`{choice}`" for choice in choices) if choices else str(annotation)


def _default(field: Any) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else None
    if value is None and field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    if value is None or value == "" or value in ((), {}, []) or isinstance(value, Secret):
        return "none"
    return f"`{value}`"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
