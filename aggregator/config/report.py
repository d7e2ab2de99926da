"""pydantic's errors as problems: at the key or the value, in our words, with what was probably meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from aggregator.config import scalars, shapes, syntax
from aggregator.config.document import Document, Location
from aggregator.config.scalars import BadValueError
from aggregator.config.shapes import Shape
from aggregator.errors import Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MAPPING_WANTED = ("model_type", "model_attributes_type", "dict_type")
_LIST_WANTED = ("tuple_type", "list_type")


def problems(document: Document, root: type[Shape], error: ValidationError) -> Iterator[Problem]:
    """What pydantic found wrong with `document`, read as `root`."""
    for detail in error.errors(include_url=False, include_input=False):
        yield _problem(document, root, detail)


def _problem(document: Document, root: type[Shape], detail: ErrorDetails) -> Problem:
    location: Location = tuple(step for step in detail["loc"] if step not in shapes.ITEM_KINDS)
    kind = detail["type"]
    at_key = location[-1:] == ("[key]",)
    if at_key:
        location = location[:-1]
    if kind == "extra_forbidden":
        return _unknown_key(document, root, location)
    if kind == "missing":
        return document.problem(location[:-1], f"the key '{location[-1]}' is missing", f"add '{location[-1]}: …'")
    complaint = _complaint(document, root, location, detail)
    if complaint.key:
        return document.problem((*location, complaint.key), complaint.message, complaint.hint)
    subject = "" if at_key or not location else f"{_name(location)}: "
    return document.problem(location, subject + complaint.message, complaint.hint, at_key=at_key)


def _name(location: Location) -> str:
    """The key that `location` is about: an item of a list is named by the list's."""
    return next((step for step in reversed(location) if isinstance(step, str)), "")


def _complaint(document: Document, root: type[Shape], location: Location, detail: ErrorDetails) -> BadValueError:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, BadValueError):
        return cause
    found = document.at(location)
    if not location:
        return _whole_file(root, found)
    if detail["type"] in _MAPPING_WANTED:
        return BadValueError(f"must be keys with values, not {scalars.form(found)}", _mapping_hint(found))
    if detail["type"] in _LIST_WANTED:
        return BadValueError(f"must be a list, not {scalars.form(found)}", _list_hint(found))
    return BadValueError(detail["msg"])


def _whole_file(root: type[Shape], found: object) -> BadValueError:
    """The complaint about a file that is no mapping."""
    keys = list(shapes.keys(root))
    hint = f"begin it with '{keys[0]}:'" + (" and put the list below it" if len(keys) == 1 else "")
    if isinstance(found, str) and (width := syntax.full_width(found)):
        hint = width
    return BadValueError(f"the file must hold keys with values, not {scalars.form(found)}", hint)


def _mapping_hint(found: object) -> str:
    if width := syntax.full_width(scalars.typed(found)) if isinstance(found, str) else "":
        return width
    return "write 'key: value' lines, without '-'" if isinstance(found, list) else "write 'key: value'"


def _list_hint(found: object) -> str:
    if scalars.is_blank(found):
        return "write [] for an empty list, or remove the key"
    return "begin each item with '- '"


def _unknown_key(document: Document, root: type[Shape], location: Location) -> Problem:
    key = str(location[-1])
    for sign, meant in (("：", "full-width: write ':' and a blank in ASCII"), (":", "not followed by a blank")):
        before, found, _ = key.partition(sign)
        if found:
            hint = f"the colon after '{before}' is {meant}"
            return document.problem(location, f"'{before}' has no value", hint, at_key=True, offset=len(before))
    return document.problem(location, f"unknown key '{key}'", _key_hint(root, location[:-1], key), at_key=True)


def _key_hint(root: type[Shape], above: Location, key: str) -> str:
    known = shapes.keys(_shape_at(root, above))
    if width := syntax.full_width(key):
        return width
    if not above and (file := _file_of(key)):
        return f"it belongs in {file}.yaml"
    section, _, inner = key.partition(".")
    if inner and known.get(section):
        return f"write '{section}:' and below it, indented, '{inner}:'"
    meant = scalars.nearest(key, known)
    return f"did you mean '{meant}'?" if meant else f"known here: {', '.join(known)}"


def _file_of(key: str) -> str:
    """The file that has `key` at its top level."""
    return next((file for file, shape in shapes.FILES.items() if key in shapes.keys(shape)), "")


def _shape_at(root: type[Shape], location: Location) -> type[Shape]:
    shape = root
    for step in location:
        if isinstance(step, str):
            shape = shapes.keys(shape)[step] or shape
    return shape
