"""The fields of a student's dataclass as the `dataclasses` module of the tester wants to see them."""

from __future__ import annotations

import dataclasses
from typing import Any


def dataclass_fields(stand_in: Any) -> dict[str, Any]:
    """The value of `__dataclass_fields__` of a stand-in.

    Raises:
        AttributeError: The original is no dataclass.
    """
    link, remote = stand_in._boundary_link, stand_in._boundary_remote
    described = link.operate(remote.id, "fields", (), {})
    made: dict[str, Any] = {}
    for entry in described if type(described) is list else []:
        if not (type(entry) is tuple and len(entry) == 4 and type(entry[0]) is str and entry[0].isidentifier()):
            raise AttributeError("__dataclass_fields__")
        name, kind, default, has_factory = entry
        options: dict[str, Any] = {} if default is ... else {"default": default}
        made[name] = dataclasses.field(**({"default_factory": list} if has_factory is True else options))
        made[name].name, made[name].type = name, kind
        made[name]._field_type = dataclasses._FIELD  # type: ignore[attr-defined]
    if not made:
        raise AttributeError("__dataclass_fields__")
    return made
