"""Nothing that a student wrote runs in a page that somebody opens: formgrader, nbgrader's feedback, ours, the report.

A real Chromium opens the pages as they are served: with their content security policy where they have one, with the
cleaning alone where they have none. Every markup calls `ran`, a function that the browser offers to all frames, or asks
a server of ours for something; so what is noted is what has happened, not what a policy has stopped.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.filters import markdown2html
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from playwright.sync_api import Error

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.pipeline import grade
from grading_utils.grading.solutions import solution_notebook
from grading_utils.reporting.feedback import write_feedback
from grading_utils.reporting.model_answers import HEADING
from grading_utils.reporting.report import write_report
from grading_utils.reporting.standings import Standing

from ..browsing import browser, formgrader
from ..conftest import ASSIGNMENT, cell_named, hand_in, managed, write_course

MARKUPS = {
    "script": "<script>RUN</script>",
    "picture": '<img src=x: onerror="RUN">',
    "drawing": '<svg onload="RUN"></svg>',
    "script-in-a-drawing": "<svg><script>RUN</script></svg>",
    "animation": '<svg><animate onbegin="RUN" attributeName=x dur=1s></animate></svg>',
    "mathml": '<math><style><img src=x: onerror="RUN"></style></math>',
    "noscript": '<noscript><p title="</noscript><img src=x: onerror=RUN>"></noscript>',
    "details": '<details open ontoggle="RUN">x</details>',
    "focus": '<p><input autofocus onfocus="RUN"></p>',
    "video": '<video><source src=x: onerror="RUN"></video>',
    "link": '<a href="javascript:RUN">x</a>',
    "disguised-link": '<a href=" java&#10;script:RUN">x</a>',
    "link-in-a-drawing": '<svg><a href="javascript:RUN"><text y=9>x</text></a></svg>',
    "frame": '<iframe srcdoc="<script>RUN</script>"></iframe>',
    "frame-of-data": '<iframe src="data:text/html,<script>RUN</script>"></iframe>',
    "object-of-data": '<object data="data:text/html,<script>RUN</script>"></object>',
    "button": '<form><button formaction="javascript:RUN">x</button></form>',
    "frame-elsewhere": "<iframe src=AWAY></iframe>",
    "form": "<form action=AWAY><button>x</button></form>",
    "refresh": '<meta http-equiv="refresh" content="0;url=AWAY">',
    "stylesheet": "<link rel=stylesheet href=AWAY>",
    "base": '<base href="AWAY/"><img src="x">',
    "style": "<style>body { background: url(AWAY) }</style>",
    "disguised-style": "<style>body { background: u\\72l(AWAY) }</style>",
    "import": "<style>@import 'AWAY';</style>",
    "style-of-an-element": '<p style="background: URL(AWAY)">x</p>',
    "picture-elsewhere": "<img src=AWAY>",
    "picture-of-a-set": '<img srcset="AWAY 1x">',
}
FOR_MATHJAX = """$\\href{javascript:ran('mathjax')}{x}$ and $<img src=x: onerror="ran('formula')">$

$$\\style{background:url(//x.invalid)}{y}$$"""
SCHEME = "One point for each rhyme of zyxgloria"
TASK = f"Write a verse.\n### BEGIN MARK SCHEME\n{SCHEME}\n### END MARK SCHEME"
SECRETS = (SCHEME, HEADING, "a text without words", "several spaces are one gap", "MARK SCHEME")
CLICK = """
for (const link of document.querySelectorAll("a"))
    if (/^\\s*java/.test(link.getAttribute("href"))) link.dispatchEvent(new MouseEvent("click", {cancelable: true}));
for (const button of document.querySelectorAll("form button")) button.click();
"""
UNSAFE_MATHJAX = "[...document.scripts].map(s => s.src).filter(src => /mathjax/i.test(src) && !/,Safe/.test(src))"
"""MathJax's own safe mode takes out links that run something, and styles; it comes from afar, so no test runs it."""


@dataclass
class Elsewhere:
    """A server on another port, which no page has a reason to ask."""

    address: str
    happened: set[str] = field(default_factory=set)
    """Names of markups that ran or loaded something since the last visit began."""

    def live(self, name: str) -> str:
        """A markup with what it is to do."""
        return MARKUPS[name].replace("RUN", f"ran('{name}')").replace("AWAY", f"{self.address}/{name}")


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.happened.add(self.path.split("/")[1].rstrip("?"))
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        asked = Elsewhere(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield asked
        server.shutdown()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, elsewhere: Elsewhere) -> Course:
    """A graded course, to which somebody has handed in scripts wherever text can stand."""
    course = Course.open(write_course(tmp_path_factory.mktemp("course")))
    source = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    original = nbformat.read(source, as_version=4)
    task = managed("written", "verse", TASK, 1)
    task.metadata.nbgrader.update(task=True, solution=False, grade=False, locked=True)
    original.cells.append(task)
    nbformat.write(original, source)
    bundle = build_bundle(course, ASSIGNMENT)
    notebook = solution_notebook(source, bundle.notebooks[ASSIGNMENT])
    live = [elsewhere.live(name) for name in MARKUPS]
    written = [f"{markup}\n\nwritten {name}" for markup, name in zip(live, MARKUPS, strict=True)]
    cell_named(notebook, "why").source = "\n\n".join([*written, FOR_MATHJAX])
    cell_named(notebook, "count-words").source = (
        "from IPython.display import display\nfrom collections import Counter\n"
        f"markups = {[*live, FOR_MATHJAX]!r}\nprint(*markups)\n"
        "for kind in ('text/html', 'text/markdown', 'text/latex', 'image/svg+xml'):\n"
        "    for markup in markups: display({kind: markup}, raw=True)\n"
        "display({'application/javascript': \"ran('javascript')\"}, raw=True)\n"
        "def count_words(text): raise ValueError(''.join(markups))\n"
    )
    hand_in(course, "mallory", notebook)
    results = list(grade(course, bundle, ["mallory"], engine_factory(course, isolate=True), everything=True))
    assert results[0].cells, results
    write_feedback(course, results)
    write_report(map(Standing.of, results), course.root / "report.html")
    return course


@dataclass
class Visit:
    """A page that was open for a while."""

    text: str
    unsafe_mathjax: list[str]
    happened: set[str]


@dataclass
class Visitor:
    """Opens pages and notes what happens in them."""

    chromium: Any
    elsewhere: Elsewhere

    def visit(self, url: str, *, seconds: float, awaited: str = "", bypass_csp: bool = False) -> Visit:
        """Open a page and click what may be harmful in it.

        Args:
            url: Of the page.
            seconds: How long it is open.
            awaited: The name of a markup that ends the visit once it has done something.
            bypass_csp: Whether to leave out the page's content security policy.
        """
        self.elsewhere.happened.clear()
        seen = Visit("", [], self.elsewhere.happened)
        with contextlib.closing(self.chromium.new_context(bypass_csp=bypass_csp)) as context:
            context.expose_function("ran", lambda name: self.elsewhere.happened.add(name))
            page = context.new_page()
            with contextlib.suppress(Error):  # a page that leads elsewhere can't be asked any more
                page.goto(url, wait_until="domcontentloaded")
                page.evaluate(CLICK)
                for _ in range(int(seconds * 10)):
                    if awaited in seen.happened:
                        break
                    page.wait_for_timeout(100)
                seen.text, seen.unsafe_mathjax = page.inner_text("body"), page.evaluate(UNSAFE_MATHJAX)
                page.evaluate("ran('asked')")
        return seen


@pytest.fixture(scope="module")
def visitor(chromium: Any, elsewhere: Elsewhere) -> Visitor:
    return Visitor(chromium, elsewhere)


@pytest.mark.browser
@pytest.mark.parametrize("name", MARKUPS)
def test_what_was_written_would_run(name: str, visitor: Visitor, tmp_path: Path) -> None:
    """In the HTML that nbconvert makes of a text cell; otherwise the tests below could not fail."""
    shown = markdown2html(f"Fine words.\n\n{visitor.elsewhere.live(name)}")
    (tmp_path / "page.html").write_text(f"<!DOCTYPE html><body>{shown}", encoding="utf-8")
    assert name in visitor.visit((tmp_path / "page.html").as_uri(), seconds=10, awaited=name).happened


def by_command(course: Course) -> Path:
    """nbgrader's feedback as its command makes it."""
    command = ["generate_feedback", ASSIGNMENT, "--force", "--CourseDirectory.feedback_directory=theirs"]
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command], cwd=course.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return course.root / f"theirs/mallory/{ASSIGNMENT}/{ASSIGNMENT}.html"


def by_button(course: Course) -> Path:
    """nbgrader's feedback as the formgrader's button makes it."""
    config = course.config.copy()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.feedback_directory = "pressed"
    done = NbGraderAPI(CourseDirectory(config=config), config=config).generate_feedback(ASSIGNMENT, "mallory")
    assert done["success"], done
    return course.root / f"pressed/mallory/{ASSIGNMENT}/{ASSIGNMENT}.html"


@contextlib.contextmanager
def in_the_formgrader(course: Course) -> Iterator[str]:
    with Gradebook(course.layout.db_url) as gradebook:
        submission = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "mallory").id
    with formgrader(course.root) as address:
        yield f"{address}/formgrader/submissions/{submission}/"


def from_a_file(path: Callable[[Course], Path]) -> Callable[[Course], contextlib.AbstractContextManager[str]]:
    return lambda course: contextlib.nullcontext(path(course).as_uri())


OUR_FEEDBACK = from_a_file(lambda course: course.root / f"feedback/mallory/{ASSIGNMENT}/{ASSIGNMENT}.html")
WRITTEN = [f"written {name}" for name in MARKUPS]
PAGES = {
    "formgrader": (in_the_formgrader, False, ["Student's answer", HEADING, *WRITTEN]),
    "nbgraders-feedback": (from_a_file(by_command), False, WRITTEN),
    "our-feedback": (OUR_FEEDBACK, False, WRITTEN),
    "our-feedback-without-its-policy": (OUR_FEEDBACK, True, WRITTEN),
    "report": (from_a_file(lambda course: course.root / "report.html"), False, ["mallory"]),
}


@pytest.mark.browser
@pytest.mark.parametrize("page", PAGES)
def test_nothing_that_a_student_wrote_runs(page: str, visitor: Visitor, course: Course) -> None:
    serve, bypass_csp, words = PAGES[page]
    with serve(course) as url:
        seen = visitor.visit(url, seconds=2, bypass_csp=bypass_csp)
    assert [word for word in words if word not in seen.text] == []
    assert seen.happened == {"asked"}
    assert seen.unsafe_mathjax == []


@pytest.mark.parametrize("made", [by_command, by_button])
def test_nbgraders_own_feedback_shows_no_mark_scheme_and_no_hidden_test(made: Any, course: Course) -> None:
    page = made(course).read_text(encoding="utf-8")
    assert "Write a verse" in page
    assert not [secret for secret in SECRETS if secret in page]
    ours = (course.root / f"feedback/mallory/{ASSIGNMENT}/{ASSIGNMENT}.html").read_text(encoding="utf-8")
    assert not [secret for secret in SECRETS if secret in ours]
