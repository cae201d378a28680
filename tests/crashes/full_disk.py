"""`unshare --mount python -m tests.crashes.full_disk COURSE`: grade a copy of a course on a disk without room.

Prints the exit code and then, with room again, the exit code and the end state.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from grading_utils.course.course import Course

from .soak import end_state, finish, grade


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
        course = Course.open(shutil.copytree(sys.argv[1], Path(folder, "course")))
        filler = Path(folder, "filler")
        state = os.statvfs(folder)
        with filler.open("wb") as stream:
            stream.write(bytes(max(0, state.f_bavail - int(sys.argv[2])) * state.f_frsize))
        print(grade(course))
        filler.unlink()
        print(finish(course))
        print(repr(end_state(course)))
        sys.stdout.flush()
        subprocess.run(["umount", "-l", folder], check=True)


main()
