"""What a student's process can see of the machine: nothing that is not on the list."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from grading_utils.errors import SandboxError
from grading_utils.sandbox.policy import Policy
from grading_utils.sandbox.server import WarmProcess
from grading_utils.sandbox.view import make_view

from .conftest import POLICY, Stage

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_network_is_out_of_reach(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        answer = stage.student(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
        assert answer["raised"] == "PermissionError"
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_socket_of_the_machine_in_the_abstract_namespace_is_out_of_reach(stage: Stage) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0grading-test-abstract")
        server.listen()
        code = "import socket; socket.socket(socket.AF_UNIX).connect('\\0grading-test-abstract')"
        assert stage.student(code)["raised"] == "ConnectionRefusedError"


def test_two_students_cannot_meet_in_the_abstract_namespace(stage: Stage) -> None:
    answer = stage.tester("""
first, second = students(), students()
ask(first, "import socket; s = socket.socket(socket.AF_UNIX); s.bind(chr(0) + 'meet'); s.listen()")
answer = ask(second, "import socket; socket.socket(socket.AF_UNIX).connect(chr(0) + 'meet')")
""")
    assert answer["raised"] == "ConnectionRefusedError"


@pytest.mark.parametrize(
    "path",
    [
        *(f"/home{suffix}" for suffix in ("", "/..data")),
        "/root/.bashrc",
        "/etc/shadow",
        "/etc/ssh",
        "/var/log",
        "/boot",
        "/run",
        "/sys/kernel",
        "/dev/kmsg",
        "/dev/shm/../../proc/kcore",
        "/proc/sys",
        "/proc/kallsyms",
        str(REPOSITORY / "pyproject.toml"),
        str(REPOSITORY / "source"),
        str(REPOSITORY / "tests" / "conftest.py"),
        str(REPOSITORY / ".git"),
        str(Path.home() / ".ssh"),
        str(Path.home() / ".cache"),
    ],
)
def test_a_student_cannot_see(stage: Stage, path: str) -> None:
    assert stage.student(f"import os; answer = os.path.lexists({path!r})") is False


def test_a_course_beside_the_package_is_invisible(stage: Stage, tmp_path: Path) -> None:
    for name in ("source/01/a.ipynb", "submitted/eve/01/a.ipynb", "gradebook.db"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("the solution is 42")
    code = f"""
import os
roots = ['', '/proc/self/root', '/proc/1/root', '/proc/1/cwd/..', '/scratch/..', '/stage/..']
answer = [root for root in roots if os.path.lexists(root + {str(tmp_path)!r})]
"""
    assert stage.student(code) == []


def test_the_environment_holds_listed_variables_only(
    start_warm: Callable[..., WarmProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    code = "import os; answer = [dict(os.environ), open('/proc/self/environ').read()]"
    with start_warm() as warm, warm.fork_tester() as tester:
        listed, raw = Stage(tester).student(code)
    assert "hunter2" not in str(listed) + raw
    assert listed["PYTHONHASHSEED"] == "0"
    assert listed["HOME"] == "/scratch"


def test_descriptors_of_the_coordinator_do_not_leak(start_warm: Callable[..., WarmProcess], tmp_path: Path) -> None:
    secret = tmp_path / "hidden-tests.txt"
    secret.write_text("assert answer == 42")
    descriptor = os.open(secret, os.O_RDONLY)
    try:
        os.set_inheritable(descriptor, True)
        with start_warm() as warm, warm.fork_tester() as tester:
            links = Stage(tester).student("""
import os
paths = [f'/proc/self/fd/{name}' for name in os.listdir('/proc/self/fd')]
answer = [os.readlink(path) for path in paths if os.path.lexists(path)]
""")
    finally:
        os.close(descriptor)
    others = [link for link in links if link != "/dev/null" and not link.startswith("/proc/")]
    assert len(others) == 1
    assert others[0].startswith("socket:")


def test_other_processes_are_invisible(stage: Stage) -> None:
    pids, raised = stage.student(f"""
import os
try:
    os.kill({os.getpid()}, 0)
    raised = None
except OSError as error:
    raised = type(error).__name__
answer = [[name for name in os.listdir('/proc') if name.isdigit()], raised]
""")
    assert pids == ["1"]
    assert raised == "ProcessLookupError"


def test_the_machine_is_read_only(stage: Stage) -> None:
    code = """
import os, sys
answer = []
for folder in ('/', '/usr', '/etc', '/dev', '/stage', sys.prefix, os.path.dirname(os.__file__)):
    try:
        open(os.path.join(folder, 'planted'), 'w')
        answer.append(folder)
    except OSError:
        pass
"""
    assert stage.student(code) == []


def test_files_of_the_assignment_are_readable_by_their_own_name(
    start_warm: Callable[..., WarmProcess], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "reviews.csv").write_text("text\nfine\n")
    code = """
answer = open('data/reviews.csv').read()
try:
    open('data/reviews.csv', 'w')
except OSError as error:
    answer += type(error).__name__
"""
    tmp_path.chmod(0o755)
    with start_warm(files=str(tmp_path)) as warm, warm.fork_tester() as tester:
        assert Stage(tester).student(code) == "text\nfine\nOSError"
    assert (tmp_path / "data" / "reviews.csv").read_text() == "text\nfine\n"


def test_a_hidden_path_below_a_visible_one_is_covered(start_warm: Callable[..., WarmProcess], tmp_path: Path) -> None:
    (tmp_path / "course/source").mkdir(parents=True)
    (tmp_path / "course/source/solution.py").write_text("42")
    (tmp_path / "course/gradebook.db").write_text("grades")
    (tmp_path / "course/data.csv").write_text("a,b")
    course = str(tmp_path / "course")
    hidden = (f"{course}/source", f"{course}/gradebook.db", f"{course}/not-there")
    code = f"""
import os
answer = [os.listdir({course!r} + '/source'), open({course!r} + '/data.csv').read()]
try:
    answer.append(open({course!r} + '/gradebook.db').read())
    os.unlink({course!r} + '/gradebook.db')
except OSError as error:
    answer.append(type(error).__name__)
"""
    tmp_path.chmod(0o755)
    with start_warm(readable=(*POLICY.readable, course), hidden=hidden) as warm, warm.fork_tester() as tester:
        assert Stage(tester).student(code) == [[], "a,b", "", "OSError"]
    assert (tmp_path / "course/gradebook.db").read_text() == "grades"


def test_a_hidden_path_that_has_to_be_visible_is_refused() -> None:
    with pytest.raises(SandboxError, match="must stay hidden"):
        make_view(Policy(readable=("/etc/ssl",), hidden=("/etc/ssl",)))


def test_a_readable_path_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(SandboxError, match="does not exist"):
        make_view(Policy(readable=("/no/such/folder",)))


def test_students_of_different_testers_do_not_see_each_other(warm: WarmProcess) -> None:
    with warm.fork_tester() as one, warm.fork_tester() as two:
        Stage(one).tester('s = students(); ask(s, \'open("left-behind", "w").write("psst")\')')
        seen = Stage(two).student("import os; answer = [os.listdir('.'), os.listdir('/proc')]")
    assert seen == [["table.csv"], ["self", "thread-self", "1"]]


def test_the_policy_of_these_tests_shows_nothing_of_the_repository_but_the_package() -> None:
    shown = [Path(bind.source) for bind in make_view(POLICY).binds]
    below = {path for path in shown if REPOSITORY in path.parents}
    assert below <= {REPOSITORY / "grading_utils", REPOSITORY / ".venv", Path(POLICY.readable[0])}
