"""What a student can put in the notebook's place or beside it, each as a function that the attacks name."""

from __future__ import annotations

import io
import os
import socket
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from .course import ASSIGNMENT, HIDDEN, functions_of

NAME = f"{ASSIGNMENT}.ipynb"


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


FILES: dict[str, Callable[[Path, bytes], None]] = functions_of(__name__, globals())
