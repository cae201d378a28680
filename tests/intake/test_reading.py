"""Whatever lies where a notebook should be, reading it ends with a notebook or with one clear sentence."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading_utils.errors import SubmissionError
from grading_utils.intake import reading
from grading_utils.intake.reading import read_notebook

MINIMAL = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}


def cell(**changes: Any) -> dict[str, Any]:
    return {"cell_type": "code", "id": "a", "metadata": {}, "source": "x = 1", "outputs": [], **changes}


UNREADABLE = {
    "empty file": (b"", "is empty"),
    "only spaces": (b"  \n ", "is empty"),
    "truncated": (json.dumps({**MINIMAL, "cells": [cell()]}).encode()[:-30], "ends in the middle"),
    "truncated in a word": (b'{"nbformat": 4, "cells": nul', "ends in the middle"),
    "truncated in a text": (b'{"nbformat": 4, "cells": [{"source": "x = ', "ends in the middle"),
    "only zeros": (bytes(5_000), "is empty"),
    "a comma too many": (b'{"nbformat": 4, "cells": [],\n}', "is not valid JSON"),
    "no JSON": (b"print('hello')", "is not valid JSON"),
    "a PDF": (b"%PDF-1.7\n\xff\xfe", "is a PDF, not a notebook"),
    "a zip file": (b"PK\x03\x04\xff\xfe", "is a zip file or an office document"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "is a picture"),
    "a page that asks to log in": (b"\n<!DOCTYPE html><p>Log in</p>", "is a web page"),
    "a merge that git left": (b'<<<<<<< HEAD\n{"cells": []}\n=======\n', "conflicts between two versions"),
    "binary garbage": (bytes(range(128, 256)) * 10, "is not UTF-8"),
    "Latin-1 text": ('{"nbformat": 4, "cells": ["\xe9"]}'.encode("latin-1"), "is not UTF-8"),
    "a JSON list": (b"[1, 2]", "no notebook"),
    "format 2": (json.dumps({**MINIMAL, "nbformat": 2}).encode(), "format 2"),
    "no format": (b'{"cells": []}', "format None"),
    "cells are no list": (json.dumps({**MINIMAL, "cells": {}}).encode(), "no list of cells"),
    "nested too deeply": (b'{"nbformat": 4, "cells": ' + b"[" * 100_000, "nested too deeply"),
    "too many cells": (json.dumps({**MINIMAL, "cells": [cell()] * 2001}).encode(), "2001 cells"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_unreadable_file_is_refused_in_one_sentence_that_names_the_file(case: str, tmp_path: Path) -> None:
    data, sentence = UNREADABLE[case]
    path = tmp_path / "homework.ipynb"
    path.write_bytes(data)
    with pytest.raises(SubmissionError, match=r"homework\.ipynb") as caught:
        read_notebook(path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == data


def test_a_file_over_the_limit_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "big.ipynb"
    with path.open("wb") as file:
        file.truncate(500_000_000)
    with pytest.raises(SubmissionError, match="500 MB large"):
        read_notebook(path)


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_text(json.dumps(MINIMAL))
    link = tmp_path / "link.ipynb"
    link.symlink_to(secret)
    with pytest.raises(SubmissionError, match="symbolic link"):
        read_notebook(link)


def test_a_fifo_a_directory_and_a_socket_are_refused_at_once(tmp_path: Path) -> None:
    fifo, folder, sock = tmp_path / "fifo.ipynb", tmp_path / "folder.ipynb", tmp_path / "s.ipynb"
    os.mkfifo(fifo)
    folder.mkdir()
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(sock))
    for path in (fifo, folder, sock):
        with pytest.raises(SubmissionError, match=path.name):
            read_notebook(path)
    server.close()


def test_format_3_is_upgraded_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    old = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell(input="x = 1")])]
    )
    path.write_text(json.dumps(old))
    notebook, notes = read_notebook(path)
    assert [cell.source for cell in notebook.cells] == ["x = 1"]
    assert "old format 3" in notes[0]


def test_a_malformed_cell_is_left_out_and_noted_while_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    cells = [cell(), cell(source=7), "no cell", cell(cell_type="heading"), cell(source=["y", " = 2"])]
    path.write_text(json.dumps({**MINIMAL, "cells": cells}))
    notebook, notes = read_notebook(path)
    assert [cell.source for cell in notebook.cells] == ["x = 1", "y = 2"]
    assert [note.split(" was")[0] for note in notes] == ["cell 2", "cell 3", "cell 4"]


def test_outputs_tags_and_foreign_metadata_do_not_come_along(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    claimed = {"tags": ["skip-execution"], "nbgrader": {"grade_id": "q", "points": 99, "solution": True}, "x": 1}
    outputs = [{"output_type": "stream", "name": "stdout", "text": "5/5"}]
    path.write_text(json.dumps({**MINIMAL, "cells": [cell(metadata=claimed, outputs=outputs)]}))
    notebook, _ = read_notebook(path)
    assert notebook.cells[0].metadata == {"nbgrader": {"grade_id": "q", "points": 99}}
    assert notebook.cells[0].outputs == []


def test_a_picture_in_a_written_answer_stays_and_other_attachments_do_not(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    attached = {"a.png": {"image/png": "AAAA", "text/html": "<script>"}, "b.html": {"text/html": "<b>"}}
    answer = {"cell_type": "markdown", "metadata": {}, "source": "![](attachment:a.png)", "attachments": attached}
    path.write_text(json.dumps({**MINIMAL, "cells": [answer]}))
    notebook, _ = read_notebook(path)
    assert notebook.cells[0].attachments == {"a.png": {"image/png": "AAAA"}}


def test_lone_surrogates_do_not_stop_the_notebook_from_being_written_again(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({**MINIMAL, "cells": [cell(source="x = '\ud800'")]}))
    notebook, _ = read_notebook(path)
    nbformat.writes(notebook).encode("utf-8")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
cells = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | json_values,
        "source": st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3) | json_values,
        "metadata": st.fixed_dictionaries({}, optional={"nbgrader": json_values, "tags": json_values}) | json_values,
        "id": json_values,
        "outputs": json_values,
        "attachments": json_values,
    },
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "nbformat": st.sampled_from([3, 4]) | json_values,
        "nbformat_minor": json_values,
        "metadata": json_values,
        "cells": st.lists(cells | json_values, max_size=5) | json_values,
    },
)


@settings(max_examples=300, deadline=None)
@given(document=documents | json_values)
def test_any_json_at_all_is_read_or_refused_as_a_submission(
    document: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "n.ipynb"
    path.write_text(json.dumps(document))
    try:
        notebook, _ = read_notebook(path)
    except SubmissionError:
        return
    nbformat.validate(notebook)


def test_the_limit_is_what_the_message_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({**MINIMAL, "cells": [cell(source="y" * 200)]}))
    with pytest.raises(SubmissionError, match="the limit is 0 MB"):
        read_notebook(path)


def test_stored_outputs_do_not_count(tmp_path: Path) -> None:
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * 21_000_000}}
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({**MINIMAL, "cells": [cell(outputs=[picture]), cell(id="b", source=["a\n", "b"])]}))
    notebook, notes = read_notebook(path)
    assert [(c.id, c.source) for c in notebook.cells] == [("a", "x = 1"), ("b", "a\nb")]
    assert notes == []


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "a mark of its byte order": lambda text: text.encode("utf-8-sig"),
    "a mark of its byte order, and large": lambda text: text.replace("PICTURE", "A" * 21_000_000).encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "zeros at the end": lambda text: text.encode() + bytes(300),
    "ends of lines of Windows": lambda text: json.dumps(json.loads(text), indent=1).replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("case", ENCODINGS)
def test_a_notebook_is_read_whatever_a_program_made_of_its_text(case: str, tmp_path: Path) -> None:
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "PICTURE"}}
    path = tmp_path / "n.ipynb"
    path.write_bytes(ENCODINGS[case](json.dumps({**MINIMAL, "cells": [cell(source="é = 1", outputs=[picture])]})))
    notebook, notes = read_notebook(path)
    assert [one.source for one in notebook.cells] == ["é = 1"]
    assert notes == []


LARGE = {
    "a long answer": {**MINIMAL, "cells": [cell(source="x" * 21_000_000)]},
    "large metadata of a cell": {**MINIMAL, "cells": [cell(metadata={"x": "y" * 21_000_000})]},
    "many objects": {**MINIMAL, "x": [{}] * 1_100_000, "y": "y" * 20_000_000},
    "cells that are none": {**MINIMAL, "cells": ["y" * 21_000_000]},
}


@pytest.mark.parametrize("case", LARGE)
def test_a_large_notebook_that_is_not_large_by_its_outputs_is_refused(case: str, tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps(LARGE[case]))
    with pytest.raises(SubmissionError, match=r"n\.ipynb: is 2[0-9] MB large \(the limit is 20 MB\)"):
        read_notebook(path)


def test_ids_of_cells_are_kept_where_they_are_valid_and_unique(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    ids = ["answer", "answer", "no id", 7, "last-1"]
    path.write_text(json.dumps({**MINIMAL, "cells": [cell(id=one) for one in ids]}))
    notebook, _ = read_notebook(path)
    kept = [one.id for one in notebook.cells]
    assert (kept[0], kept[4], len(set(kept))) == ("answer", "last-1", 5)


def test_ends_of_lines_are_one_kind(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({**MINIMAL, "cells": [cell(source="a\r\nb\rc\n"), cell(id="b", source=["a\r\n", "b"])]}))
    notebook, _ = read_notebook(path)
    assert [one.source for one in notebook.cells] == ["a\nb\nc\n", "a\nb"]
