"""Strict declarations: frozen, parsed once, every error of a file reported together with the nearest known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_type_hints

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from watertight.core.errors import Misuse


class Declaration(BaseModel):
    """Base of every declaration: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Declared = TypeVar("Declared", bound=Declaration)


def read_yaml(path: Path) -> Any:
    """Parse a YAML file; raises Misuse if it is absent or is not YAML."""
    if not path.is_file():
        raise Misuse(
            f"{path.name} is not there", expected=f"a file at {path}", next_step="create it, or run in the project's root"
        )
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise Misuse(f"{path.name} is not valid YAML: {error}") from error


def parse(model: type[Declared], data: Any, where: str) -> Declared:
    """Validate ``data`` as ``model``; raises one Misuse that lists every error, ``where`` naming file and section."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_line(model, problem) for problem in error.errors()]
        raise Misuse(f"{where} has {len(lines)} error(s)\n" + "\n".join(f"  - {line}" for line in lines)) from error


def nearest(name: str, known: Iterable[str]) -> str:
    """``, did you mean 'x'?`` if a known name is close, else a list of the known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"


def pick(mapping: Mapping[str, Any], name: str, what: str) -> Any:
    """``mapping[name]``, or Misuse that says what a ``what`` is called and which name is nearest."""
    if name not in mapping:
        raise Misuse(f"no {what} is called {name!r}; {nearest(name, mapping)}")
    return mapping[name]


def _line(model: type[BaseModel], problem: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        owner = _model_at(model, problem["loc"][:-1])
        return f"{place}: unknown key; {nearest(str(problem['loc'][-1]), _keys(owner) if owner else ())}"
    if problem["type"] == "union_tag_invalid":
        told, known = problem["ctx"], problem["ctx"]["expected_tags"].replace("'", "").split(", ")
        return f"{place}: no {told['discriminator']} is called {told['tag']!r}; {nearest(told['tag'], known)}"
    if problem["type"] == "union_tag_not_found":
        return f"{place}: lacks {problem['ctx']['discriminator']}, which says what it is"
    return f"{place or 'the section'}: {problem['msg'].removeprefix('Value error, ')}"


def _model_at(model: type[BaseModel], loc: Iterable[Any]) -> type[BaseModel] | None:
    """The declaration class that stands at a location, looking through dicts, lists and options."""
    current: Any = model
    for part in loc:
        current = _keys(current).get(part, _extra(current)) if _is_model(current) else _tagged(current, part) or _item(current)
        current = _item(current) if isinstance(current, UnionType) else current
    return current if _is_model(current) else None


def _tagged(annotation: Any, tag: Any) -> Any:
    """Of the declarations that an annotation tells apart by a literal, the one with this ``tag``."""
    held = getattr(annotation, "__args__", ())
    for option in held:
        if _is_model(option) and any(tag in getattr(kind, "__args__", ()) for kind in _keys(option).values()):
            return option
    return next((found for option in held if (found := _tagged(option, tag))), None)


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    """What each key is called in a file, with its annotation."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _extra(model: type[BaseModel]) -> Any:
    """The declaration that stands under any further key, where there may be such keys."""
    return _item(get_type_hints(model)["__pydantic_extra__"]) if model.model_config.get("extra") == "allow" else None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _item(annotation: Any) -> Any:
    """What a dict, a tuple or an option of declarations holds."""
    return next(filter(_is_model, getattr(annotation, "__args__", ())), None)
