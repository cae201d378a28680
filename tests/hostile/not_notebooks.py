"""What a student can hand in that is hardly a notebook any more, each as a function that the attacks name."""

from __future__ import annotations

import json
from typing import Any

from .course import code_cell, entry, functions_of

Notebook = dict[str, Any]


def truncated(notebook: Notebook) -> bytes:
    return json.dumps(notebook).encode()[:-400]


def empty(_: Notebook) -> bytes:
    return b""


def blank(_: Notebook) -> bytes:
    return b" \n" * 100


def noise(_: Notebook) -> bytes:
    return bytes(range(256)) * 40


def another_encoding(notebook: Notebook) -> bytes:
    return json.dumps(notebook).encode("utf-16")


def no_encoding_of_ours(notebook: Notebook) -> bytes:
    return json.dumps(notebook).encode("cp500")


def with_a_byte_order_mark(notebook: Notebook) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(notebook).encode()


def a_list(notebook: Notebook) -> bytes:
    return json.dumps([notebook]).encode()


def nested_without_end(_: Notebook) -> bytes:
    return b'{"nbformat": 4, "cells": ' + b"[" * 200_000


def nested_and_closed(_: Notebook) -> bytes:
    return b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"


def a_number_without_end(notebook: Notebook) -> bytes:
    return json.dumps(notebook).replace('"nbformat": 4', '"nbformat": ' + "4" * 10_000).encode()


def cells_as_a_mapping(notebook: Notebook) -> None:
    notebook["cells"] = {"0": notebook["cells"][0]}


def no_cells(notebook: Notebook) -> None:
    notebook.pop("cells")


def unknown_format(notebook: Notebook) -> None:
    notebook["nbformat"] = 99


def format_as_text(notebook: Notebook) -> None:
    notebook["nbformat"] = "4"


def too_large(notebook: Notebook) -> bytes:
    notebook["cells"].append(code_cell("#" * 21_000_000))
    return json.dumps(notebook).encode()


def too_many_cells(notebook: Notebook) -> None:
    notebook["cells"] += [code_cell("") for _ in range(3_000)]


def lone_surrogates(notebook: Notebook) -> bytes:
    notebook["cells"].append(code_cell("x = '\ud800'\ntried()"))
    return json.dumps(notebook).encode()


def null_bytes_in_a_cell(notebook: Notebook) -> None:
    next(c for c in notebook["cells"] if entry(c).get("grade_id") == "answer")["source"] = "answer = 42\0"


def only_cell_ids_left(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


DAMAGE = functions_of(__name__, globals())
