"""What a student can do to the notebook file itself, each as a function that the attacks name.

`TAMPER` edits a notebook (a plain dict) in place or returns other bytes; `FILES` puts something else in its place.
"""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .course import ASSIGNMENT, HIDDEN

Notebook = dict[str, Any]
Tampering = Callable[[Notebook], bytes | None]
NAME = f"{ASSIGNMENT}.ipynb"


def _code(source: str, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": "added", "source": source, "metadata": metadata, "outputs": [],
        "execution_count": None,
    }  # fmt: skip


def _entry(cell: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def _tests(notebook: Notebook) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if _entry(c).get("grade") and c["cell_type"] == "code"]


def _solutions(notebook: Notebook) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if _entry(c).get("solution") and c["cell_type"] == "code"]


def _managed(notebook: Notebook) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if _entry(c)]


# --- metadata ---


def tag_everything_to_be_skipped(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove-cell", "student-process"]
        cell["metadata"]["deletable"] = True


def unlock_and_empty_the_tests(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        _entry(cell).update(locked=False, solution=False)
        cell["source"] = "pass"


def print_points_in_the_tests(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        cell["source"] = "2.0"


def raise_the_points(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        _entry(cell)["points"] = 1000


def infinite_and_odd_points(notebook: Notebook) -> bytes:
    for cell, points in zip(_tests(notebook), [float("inf"), float("nan"), -5, "2", None], strict=True):
        _entry(cell)["points"] = points
    return json.dumps(notebook).encode()


def no_points_for_what_is_wrong(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        _entry(cell)["points"] = 0


def forge_checksums(notebook: Notebook) -> None:
    for cell in _managed(notebook):
        _entry(cell)["checksum"] = "0" * 32


def old_schema(notebook: Notebook) -> None:
    for number, cell in enumerate(_managed(notebook)):
        _entry(cell)["schema_version"] = number % 3


def metadata_of_wrong_types(notebook: Notebook) -> None:
    values: list[Any] = [None, [], "grade", 7, {"grade_id": None}, {"grade_id": ["squares"]}, {"grade_id": 3}]
    for number, cell in enumerate(_tests(notebook)):
        cell["metadata"]["nbgrader"] = values[number % len(values)]
    notebook["cells"][0]["metadata"] = None
    notebook["metadata"] = []


def ids_like_paths(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["id"] = "../../../../etc/passwd"
    notebook["cells"].append(_code("tried()", nbgrader={"grade_id": "../../gradebook.db", "grade": True, "points": 9}))
    notebook["cells"].append(_code("tried()", nbgrader={"grade_id": "x" * 100_000, "grade": True, "points": 9}))


def a_bonus_of_its_own(notebook: Notebook) -> None:
    bonus = {
        "grade": True, "solution": False, "locked": True, "task": False, "points": 100, "schema_version": 3,
        "cell_type": "code", "grade_id": "bonus",
    }  # fmt: skip
    notebook["cells"].append(_code("100.0", nbgrader=bonus))


def solutions_that_claim_to_be_tests(notebook: Notebook) -> None:
    for cell in _solutions(notebook):
        _entry(cell).update(grade=True, solution=False, locked=True, points=50)


def tests_that_claim_to_be_solutions(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        _entry(cell).update(grade=False, solution=True, locked=False)
        cell["source"] = "answer = 42"


def longer_time_limits(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["grading_utils"] = {"time_limit": 1e9, "message": "well done", "hidden": False}


def another_kernel(notebook: Notebook) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "bash", "display_name": "sh -c 'touch @MARK@'", "language": "bash"}
    notebook["metadata"]["language_info"] = {"name": "bash", "file_extension": ".sh", "nbconvert_exporter": "script"}


def heavy_widgets(notebook: Notebook) -> None:
    notebook["metadata"]["widgets"] = {"state": {str(number): {"x": [number] * 50} for number in range(5_000)}}
    notebook["metadata"]["celltoolbar"] = "Create Assignment"


# --- structure ---


def duplicate_the_tests(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        copy = json.loads(json.dumps(cell))
        copy["source"] = "pass"
        notebook["cells"].insert(0, copy)


def delete_the_tests(notebook: Notebook) -> None:
    for cell in _tests(notebook):
        notebook["cells"].remove(cell)


def move_the_tests_to_the_front(notebook: Notebook) -> None:
    tests = _tests(notebook)
    notebook["cells"] = tests + [cell for cell in notebook["cells"] if cell not in tests]


def turn_it_around(notebook: Notebook) -> None:
    notebook["cells"].reverse()


def tests_as_text(notebook: Notebook) -> None:
    for number, cell in enumerate(_tests(notebook)):
        cell["cell_type"] = "markdown" if number % 2 else "raw"
        cell.pop("outputs")
        cell.pop("execution_count")


def answers_as_text(notebook: Notebook) -> None:
    for cell in _solutions(notebook):
        cell["cell_type"] = "markdown"
        cell.pop("outputs")
        cell.pop("execution_count")


def edit_the_locked_cell(notebook: Notebook) -> None:
    setup = next(cell for cell in notebook["cells"] if _entry(cell).get("grade_id") == "setup")
    setup["source"] = "REFERENCE = {'answer': None}\nanswer = None\ndef share(right, asked): return 2.0"


def a_second_locked_cell(notebook: Notebook) -> None:
    setup = next(cell for cell in notebook["cells"] if _entry(cell).get("grade_id") == "setup")
    second = json.loads(json.dumps(setup))
    second["source"] = "REFERENCE['answer'] = None\nanswer = None"
    notebook["cells"].append(second)


def answer_twice(notebook: Notebook) -> None:
    answer = next(cell for cell in notebook["cells"] if _entry(cell).get("grade_id") == "answer")
    second = json.loads(json.dumps(answer))
    second["source"] = "answer = 41"
    notebook["cells"].append(second)


def one_id_for_all(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["id"] = "same"


def stored_outputs(notebook: Notebook) -> None:
    value = {"output_type": "execute_result", "data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1}
    html = {"text/html": "<script>document.title='owned'</script>"}
    page = {"output_type": "display_data", "data": html, "metadata": {}}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [value, page], 1


def _before(notebook: Notebook, name: str, sources: list[str]) -> None:
    """Add cells of the student's own in front of one of the assignment's."""
    cells = notebook["cells"]
    place = next(number for number, cell in enumerate(cells) if _entry(cell).get("grade_id") == name)
    cells[place:place] = [{**_code(source), "id": f"added-{number}"} for number, source in enumerate(sources)]


def nap_in_sixteen_cells(notebook: Notebook) -> None:
    _before(notebook, "count", ["import time\ntime.sleep(1.8)\ntried()"] * 16)


def compute_in_nineteen_hundred_cells(notebook: Notebook) -> None:
    busy = "import time\nend = time.process_time() + 1.7\nwhile time.process_time() < end: pass\ntried()"
    _before(notebook, "count", [busy] * 1_900)


def sixty_small_cells(notebook: Notebook) -> None:
    _before(notebook, "count", [f"step_{n} = {n}\nprint(step_{n})\ntried()" for n in range(60)])


def _picture(megabytes: float) -> str:
    return (
        "from IPython.display import Image\ntried()\n"
        f"Image(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(int({megabytes} * 750_000)), format='png')"
    )


def twelve_pictures(notebook: Notebook) -> None:
    _before(notebook, "count", [_picture(7.9)] * 12)


def two_big_pictures(notebook: Notebook) -> None:
    _before(notebook, "count", [_picture(7), _picture(7)])


def texts_that_no_parser_likes(notebook: Notebook) -> None:
    """Deep, endless, odd: each is a cell of its own, and one is the answer to a question."""
    texts = [
        "x = " + "not " * 9_000 + "1", "lambda: " * 9_000 + "1", "(" * 9_000, "[" * 180 + "]" * 180, "f" * 10**6,
        "x" + ".x" * 9_000, "1" + "+1" * 50_000, "if 1: pass\n" + "elif 1: pass\n" * 9_000, "x = '''" + "\n" * 10**5,
        "!" * 2_000, "%%time\n" + "-" * 9_000 + "1", "a = b = " * 9_000 + "1", "@x\n" * 9_000 + "def f(): pass",
        "".join(" " * n + "if 1:\n" for n in range(99)) + " " * 99 + "pass", "f'" + "{f" * 3_000, "\0", "\f\v\x1b",
        "\udc80 = 1", "x = {" * 5_000, "def f(" + "a, " * 30_000 + "): pass", "class A:\n" + " pass\n" * 10**5,
        "x = " + "-" * 9_000 + "1", "try: pass\n" + "except x: pass\n" * 5_000, "print(" + "*" * 50_000, "?" * 9_000,
        "match x:\n" + " case _: pass\n" * 5_000, "for x in " * 9_000, "x: " * 9_000, "yield " * 9_000 + "1",
    ]  # fmt: skip
    _before(notebook, "squares", texts)
    answer = next(cell for cell in notebook["cells"] if _entry(cell).get("grade_id") == "answer")
    answer["source"] = "answer = " + "-" * 9_000 + "42"


def attachments_that_run(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["attachments"] = {
                "a.html": {"text/html": "<script>document.title='owned'</script>"},
                "a.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"},
                "../../x": {"image/png": 7},
            }
            cell["source"] += "\n![x](attachment:a.svg)<script>document.title='owned'</script>"


def attachments_that_break_out(notebook: Notebook) -> None:
    out = 'x" onerror="document.title=\'owned\'" x="'
    notebook["cells"][-1]["source"] = "![a](attachment:a.png) ![b](attachment:b) <img src='attachment:a.png'>"
    notebook["cells"][-1]["attachments"] = {
        "a.png": {"image/png": out}, "b": {"image/gif": "</textarea><script>1</script>"}, "../../c": {"image/png": out},
    }  # fmt: skip


def texts_that_reorder_themselves(notebook: Notebook) -> None:
    notebook["cells"].append(_code("x = 'a\u202e' # \u2066\u2069\x1b[2J\ud800\nprint(x)\ntried()"))


def fifteen_hundred_cells(notebook: Notebook) -> None:
    for number in range(1_500):
        notebook["cells"].append(_code("pass", nbgrader={"grade_id": f"g{number}", "grade": True, "points": 1}))


def malformed_cells(notebook: Notebook) -> None:
    notebook["cells"] += [None, [], "cell", {"cell_type": "code"}, {"source": 7}]
    notebook["cells"] += [{"cell_type": ["code"], "source": "1"}]
    notebook["cells"] += [_code(["answer = 42\n", 7]), {**_code("1"), "cell_type": "heading"}]  # type: ignore[arg-type]


def marks_of_hidden_tests(notebook: Notebook) -> None:
    for cell in _solutions(notebook):
        cell["source"] = "### BEGIN HIDDEN TESTS\n" + cell["source"] + "\n### END SOLUTION\n### BEGIN SOLUTION"


def worksheets_beside_cells(notebook: Notebook) -> None:
    notebook["worksheets"] = [{"cells": [_code("2.0")], "metadata": {}}]


def a_minor_version_from_the_future(notebook: Notebook) -> None:
    notebook["nbformat_minor"] = 2**70


def format_three(notebook: Notebook) -> None:
    cells = [
        {**cell, "input": cell["source"], "language": "python", "prompt_number": None, "collapsed": False}
        if cell["cell_type"] == "code" else cell
        for cell in notebook["cells"]
    ]  # fmt: skip
    notebook.pop("cells")
    notebook.update(nbformat=3, nbformat_minor=0, worksheets=[{"cells": cells, "metadata": {}}])
    notebook["metadata"]["name"] = "old"


def cells_named_twice(notebook: Notebook) -> bytes:
    text = json.dumps(notebook)
    return (text[:-1] + ', "cells": ' + json.dumps([_code("2.0")]) + "}").encode()


# --- not a notebook ---


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
    notebook["cells"].append(_code("#" * 21_000_000))
    return json.dumps(notebook).encode()


def too_many_cells(notebook: Notebook) -> None:
    notebook["cells"] += [_code("") for _ in range(3_000)]


def lone_surrogates(notebook: Notebook) -> bytes:
    notebook["cells"].append(_code("x = '\ud800'\ntried()"))
    return json.dumps(notebook).encode()


def null_bytes_in_a_cell(notebook: Notebook) -> None:
    next(c for c in notebook["cells"] if _entry(c).get("grade_id") == "answer")["source"] = "answer = 42\0"


def only_cell_ids_left(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


# --- something else in the notebook's place, or beside it ---


def fifo(folder: Path, _: bytes) -> None:
    os.mkfifo(folder / NAME)


def directory(folder: Path, _: bytes) -> None:
    (folder / NAME).mkdir()


def link_to_the_source(folder: Path, _: bytes) -> None:
    (folder / NAME).symlink_to(folder.parents[2] / "source" / ASSIGNMENT / NAME)


def link_to_nothing(folder: Path, _: bytes) -> None:
    (folder / NAME).symlink_to(folder / "nothing")


def link_to_itself(folder: Path, _: bytes) -> None:
    (folder / NAME).symlink_to(folder / NAME)


def device(folder: Path, _: bytes) -> None:
    os.mknod(folder / NAME, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero: never ends


def unix_socket(folder: Path, _: bytes) -> None:
    here = Path.cwd()
    os.chdir(folder)  # a socket's path may not be long
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(NAME)
    finally:
        os.chdir(here)


def linked_folder(folder: Path, notebook: bytes) -> None:
    elsewhere = folder.parents[2] / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / NAME).write_bytes(notebook)
    folder.rmdir()
    folder.symlink_to(elsewhere)


def file_instead_of_the_folder(folder: Path, notebook: bytes) -> None:
    folder.rmdir()
    folder.write_bytes(notebook)


def no_notebook(folder: Path, _: bytes) -> None:
    (folder / "hostile.txt").write_text("it is on its way")


def links_beside(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    (folder / "canary.txt").symlink_to(folder.parents[2] / "canary.txt")
    (folder / "everything").symlink_to("/")
    os.mkfifo(folder / "waits.txt")
    (folder / "timestamp.txt").symlink_to("/dev/zero")


def modules_beside(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    mark = notebook.decode().partition("mark-is-")[2][:14]
    body = f"import pathlib\npathlib.Path('/tmp/{mark}-imported').touch()\nraise SystemExit\n"
    for name in ("json", "collections", "sitecustomize", "usercustomize", "conftest", "nbgrader_config", "msgspec"):
        (folder / f"{name}.py").write_text(body)
    (folder / "data.txt").write_text("forged data")


def archives_beside(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    mark = notebook.decode().partition("mark-is-")[2][:14]
    with tarfile.open(folder / "more.tar", "w") as archive:
        member = tarfile.TarInfo(f"../../../../../../tmp/{mark}-unpacked")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"boom"))
    with zipfile.ZipFile(folder / "more.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr(f"../../../../../../tmp/{mark}-unpacked", b"\0" * 30_000_000)


def a_bomb_in_its_place(folder: Path, _: bytes) -> None:
    with (
        zipfile.ZipFile(folder / "hostile.zip", "w", zipfile.ZIP_DEFLATED) as bomb,
        bomb.open(NAME, "w", force_zip64=True) as member,
    ):
        for _piece in range(1_000):
            member.write(bytes(1 << 20))


def an_archive_that_leads_out(folder: Path, notebook: bytes) -> None:
    mark = notebook.decode().partition("mark-is-")[2][:14]
    with zipfile.ZipFile(folder / "hostile.zip", "w") as archive:
        for name in (f"../../../../../../tmp/{mark}-out", f"/tmp/{mark}-out", f"..\\..\\{mark}-out"):
            archive.writestr(name, b"boom")
        for name, kind in ((NAME, stat.S_IFLNK), ("device", stat.S_IFCHR), ("pipe", stat.S_IFIFO)):
            member = zipfile.ZipInfo(name)
            member.external_attr = (kind | 0o777) << 16
            archive.writestr(member, str(folder.parents[2] / "canary.txt"))


def an_archive_of_many_files(folder: Path, _: bytes) -> None:
    with zipfile.ZipFile(folder / "hostile.zip", "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number}.ipynb", b"")


def the_notebook_in_an_archive(folder: Path, notebook: bytes) -> None:
    with zipfile.ZipFile(folder / "hostile.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"hostile/{NAME}", notebook)
        archive.writestr(f"__MACOSX/hostile/._{NAME}", b"noise")
        archive.writestr("hostile/data.txt", b"forged")


def many_folders(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    for number in range(5_000):
        (folder / f"folder-{number}").mkdir()
    (folder / Path(*["d"] * 200)).mkdir(parents=True)


def the_notebook_deep_down(folder: Path, notebook: bytes) -> None:
    deep = folder / Path(*["d"] * 200)
    deep.mkdir(parents=True)
    (deep / NAME).write_bytes(notebook)


def a_huge_file_beside(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    with (folder / "big.bin").open("wb") as file:
        file.truncate(10 << 40)


def a_notebook_with_another_name(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    (folder / "other.ipynb").write_bytes(notebook)
    (folder / f"<img src=x onerror=alert(1)> {HIDDEN[:3]}.ipynb").write_bytes(b"{}")


def a_folder_in_the_place_of_a_file(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    (folder / "data.txt").mkdir()
    (folder / "data.txt" / "mine.txt").write_text("mine")
    (folder / "tables").write_text("a file")


def a_path_that_is_too_long(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(20):
        os.mkdir("d" * 240, dir_fd=here)
        inner = os.open("d" * 240, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = inner
        os.close(os.open("f" * 240, os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)


def files_that_nobody_may_read(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    (folder / "closed.txt").write_text("closed")
    (folder / "closed.txt").chmod(0)


def names_in_no_encoding(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    for number, name in enumerate((b"\xff\xfe.txt", b"\xc3.ipynb", "right\u202etxt.csv".encode(), b"=1+1.csv", b"-rf")):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_text(str(number))


def a_zip_that_overwrites_itself(folder: Path, notebook: bytes) -> None:
    with zipfile.ZipFile(folder / "handed-in.zip", "w") as archive:
        archive.writestr("hostile/data.txt/inner.txt", "a folder first")
        archive.writestr("hostile/data.txt", "then a file of that name")
        archive.writestr(f"hostile/{NAME}/x", "the notebook as a folder")
        archive.writestr(f"hostile/{NAME}", notebook)


def a_sparse_file_beside(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    with (folder / "sparse.bin").open("wb") as file:
        file.truncate(1 << 40)


def names_that_command_terminals(folder: Path, notebook: bytes) -> None:
    (folder / NAME).write_bytes(notebook)
    (folder / "\x1b]0;owned\x07\x1b[2J[red]\r\nright hostile: graded 8.ipynb").write_bytes(b"{}")
    os.mkfifo(folder / "\x1b[2Jfifo\nright hostile: graded 8")


def _here(kind: type) -> dict[str, Any]:
    return {
        name: value for name, value in globals().items()
        if callable(value) and getattr(value, "__module__", "") == __name__ and name[0] != "_"
        and next(iter(value.__annotations__.values()), "") == kind
    }  # fmt: skip


TAMPER: dict[str, Tampering] = _here("Notebook")  # type: ignore[arg-type]
FILES: dict[str, Callable[[Path, bytes], None]] = _here("Path")  # type: ignore[arg-type]
