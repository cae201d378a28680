"""What visible checks may say after a hidden one: what a process says that has seen no hidden one, so many times."""

from __future__ import annotations

from grading_utils.boundary.tester.notebook import MAX_FRESH_STARTS

SETUP = "import os\nreader, writer = os.pipe()\nos.set_blocking(reader, False)"
ANSWER = """
heard = []
def f(x):
    os.write(writer, repr(x).encode())
    return x
def g():
    try:
        heard.append(os.read(reader, 1000).decode())
    except BlockingIOError:
        heard.append('nothing')
    return heard
"""
HIDDEN = "### BEGIN HIDDEN TESTS\nassert f('xylophone') == 'xylophone'\n### END HIDDEN TESTS"
VISIBLE = "assert g() == [], f'heard {g()}'"


def test_a_visible_check_after_a_hidden_one_says_what_a_fresh_process_says_six_times(notebook):
    checks = [("test", HIDDEN), ("test", VISIBLE)] * (MAX_FRESH_STARTS + 2)
    runs = notebook(("student", ANSWER), *checks, leading=SETUP)
    assert [str(run.status) for run in runs[1:]] == ["ok", "error"] * (MAX_FRESH_STARTS + 2)
    messages = [run.message for run in runs[2::2]]
    assert all(message.startswith("heard ['nothing'") for message in messages[:MAX_FRESH_STARTS])
    assert all("run it in your own notebook" in message for message in messages[MAX_FRESH_STARTS:])
    assert "xylophone" not in str(messages) + str([run.outputs for run in runs])
