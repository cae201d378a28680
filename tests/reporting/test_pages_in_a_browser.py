"""Nothing that a student wrote runs in a page that somebody opens: formgrader, nbgrader's feedback, ours, the report.

A real Chromium opens the pages, with their content security policy as it is; whatever runs says so in the title, on
the console or in a dialog, and every request to another host is noted.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import nbformat
import pytest
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

RUN = "document.title='RAN';console.log('RAN');alert('RAN')"
WRITTEN = f"""Fine words. <script>{RUN}</script>

<img src=x onerror="{RUN}"> <svg onload="{RUN}"></svg> <details open ontoggle="{RUN}">x</details>
<iframe srcdoc="<script>parent.{RUN.split(";")[0]}</script>"></iframe> <input autofocus onfocus="{RUN}">
<style>@import 'http://elsewhere.invalid/a.css'; body {{ background: url(http://elsewhere.invalid/b.png) }}</style>
<img src="http://elsewhere.invalid/c.png"> <link rel=stylesheet href="http://elsewhere.invalid/d.css">
<meta http-equiv="refresh" content="0;url=http://elsewhere.invalid/e"> <base href="http://elsewhere.invalid/">

[click](javascript:{RUN.split(";")[0]}) ![p](http://elsewhere.invalid/f.png) `code <script>{RUN}</script>`

$\\href{{javascript:{RUN.split(";")[0]}}}{{x}}$ and $<img src=x onerror="{RUN}">$

```python
'</pre><script>{RUN}</script>'
```
"""
MARKUP = f"""
<math><mtext><mglyph><style><img src=x onerror="{RUN}"></style></mglyph></mtext></math>
<svg><a href="javascript:{RUN.split(";")[0]}"><text y=20>x</text></a><script>{RUN}</script><animate onbegin="{RUN}"
 attributeName=x dur=1s></animate><foreignObject><img src=y onerror="{RUN}"></foreignObject></svg>
<a href=" java&#10;script:{RUN.split(";")[0]}">x</a> <a href="data:text/html,<script>{RUN}</script>">x</a>
<form action="http://elsewhere.invalid/g">
<button formaction="javascript:{RUN.split(";")[0]}" autofocus>x</button></form>
<object data="data:text/html,<script>{RUN}</script>"></object><embed src="javascript:{RUN.split(";")[0]}">
<video onerror="{RUN}"><source src=x></video> <marquee onstart="{RUN}">x</marquee> <body onpageshow="{RUN}">
<style>#T_a {{ background: u\\72l(http://elsewhere.invalid/h.png) }} #T_b td {{ color: red;}}</style>
<style>#T_c {{ list-style: url("http://elsewhere.invalid/i.png") }} </style>
<p id=T_a style="background:URL(//elsewhere.invalid/j)">x</p>
<noscript><p title="</noscript><img src=x onerror={RUN}>"></noscript> <template><img src=x onerror="{RUN}"></template>
<img srcset="http://elsewhere.invalid/k.png 1x"
 src="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KCdSQU4nKSIvPg==">
<picture><source srcset="http://elsewhere.invalid/l.png"><img></picture> <a href="x" ping="http://elsewhere.invalid/m">x</a>

$\\href{{javascript:{RUN.split(";")[0]}}}{{x}} \\htmlClass{{fb-score}}{{y}}$
$\\style{{background:url(//elsewhere.invalid/n)}}{{z}}$

[a]: javascript:{RUN.split(";")[0]}
[click][a] <javascript:{RUN.split(";")[0]}> ![q][b]

[b]: http://elsewhere.invalid/o.png
"""
CODE = f'''from IPython.display import HTML, Javascript, Markdown, display
from collections import Counter
display(HTML(r"""{MARKUP}"""), Markdown(r"""{MARKUP}"""))
display(HTML("""{WRITTEN}"""), Markdown("""{WRITTEN}"""), Javascript("""{RUN}"""))
print("""<script>{RUN}</script>""")
def count_words(text): raise ValueError("""<img src=x onerror="{RUN}">""")
'''
SCHEME = "One point for each rhyme of zyxgloria"
TASK = f"Write a verse.\n### BEGIN MARK SCHEME\n{SCHEME}\n### END MARK SCHEME"
SECRETS = (SCHEME, HEADING, "a text without words", "several spaces are one gap", "MARK SCHEME")
CLICK = "document.querySelectorAll('a[href^=javascript]').forEach(link => link.click())"


@dataclass
class Visit:
    """What happened while a page was open."""

    text: str
    noise: list[str] = field(default_factory=list)
    """Dialogs, and what the console said."""
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
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
    cell_named(notebook, "why").source = WRITTEN + MARKUP
    cell_named(notebook, "count-words").source = CODE
    hand_in(course, "mallory", notebook)
    results = list(grade(course, bundle, ["mallory"], engine_factory(course, isolate=True), everything=True))
    assert results[0].cells, results
    write_feedback(course, results)
    write_report(map(Standing.of, results), course.root / "report.html")
    return course


def visit(chromium: Any, url: str, *, wait: float = 0.5) -> Visit:
    context = chromium.new_context(bypass_csp=False)
    try:
        page = context.new_page()
        visit = Visit("")
        page.on("dialog", lambda dialog: (visit.noise.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: visit.noise.append(message.text))
        page.on("request", lambda request: visit.requests.append(request.url))
        try:
            page.goto(url, wait_until="domcontentloaded")
            page.evaluate(CLICK)
            page.wait_for_timeout(wait * 1000)
            visit.text = page.inner_text("body")
            visit.noise.append(page.title())
        except Error as away:
            visit.noise.append(f"RAN away: {away}")
        return visit
    finally:
        context.close()


def assert_nothing_ran(visit: Visit) -> None:
    assert "Fine words" in visit.text
    assert not [said for said in visit.noise if "RAN" in said and "Refused" not in said], visit.noise
    assert not [url for url in visit.requests if "elsewhere" in url], visit.requests


@pytest.mark.browser
def test_the_browser_notices_what_runs(chromium: Any, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f"<body>Fine words{WRITTEN}")
    seen = visit(chromium, (tmp_path / "page.html").as_uri())
    assert any("RAN" in said for said in seen.noise)
    assert any("elsewhere" in url for url in seen.requests)


def rewritten(page: Path, old: str, new: str) -> str:
    """The address of a copy of a page in which something stands in place of something else."""
    text = page.read_text(encoding="utf-8")
    assert text.count(old) == 1, text.count(old)
    copy = page.with_name("rewritten.html")
    copy.write_text(text.replace(old, new), encoding="utf-8")
    return copy.as_uri()


POLICY = '<meta http-equiv="Content-Security-Policy"'


@pytest.mark.browser
@pytest.mark.parametrize("name", [f"feedback/mallory/{ASSIGNMENT}/{ASSIGNMENT}.html", "report.html"])
def test_the_policy_alone_stops_scripts_and_requests_that_nobody_has_cleaned(
    chromium: Any, course: Course, name: str
) -> None:
    raw = re.sub("<(meta|link|base)[^>]*>", "", WRITTEN + MARKUP)  # a page may lead away, whatever its policy is
    page = course.root / name
    seen = visit(chromium, rewritten(page, "</body>", f"Fine words{raw}</body>"))
    assert_nothing_ran(seen)
    copy = Path(urlparse(rewritten(page, "</body>", f"Fine words{raw}</body>")).path)
    without = visit(chromium, rewritten(copy, POLICY, "<meta name='no-policy'"))
    assert any("RAN" in said for said in without.noise), "this page could not tell"


@pytest.mark.browser
def test_the_cleaning_alone_stops_what_the_policy_would(chromium: Any, course: Course) -> None:
    page = course.root / f"feedback/mallory/{ASSIGNMENT}/{ASSIGNMENT}.html"
    assert_nothing_ran(visit(chromium, rewritten(page, POLICY, "<meta name='no-policy'")))


@pytest.mark.browser
def test_nothing_runs_in_our_feedback(chromium: Any, course: Course) -> None:
    assert_nothing_ran(visit(chromium, (course.root / f"feedback/mallory/{ASSIGNMENT}/{ASSIGNMENT}.html").as_uri()))


@pytest.mark.browser
def test_only_our_script_runs_in_the_report(chromium: Any, course: Course) -> None:
    seen = visit(chromium, (course.root / "report.html").as_uri())
    assert "mallory" in seen.text
    assert not [said for said in seen.noise if "RAN" in said], seen.noise
    assert not [url for url in seen.requests if "elsewhere" in url]


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


@pytest.mark.parametrize("made", [by_command, by_button])
def test_nbgraders_own_feedback_shows_no_mark_scheme_and_no_hidden_test(made: Any, course: Course) -> None:
    page = made(course).read_text(encoding="utf-8")
    assert "Write a verse" in page
    assert not [secret for secret in SECRETS if secret in page]
    ours = (course.root / f"feedback/mallory/{ASSIGNMENT}/{ASSIGNMENT}.html").read_text(encoding="utf-8")
    assert not [secret for secret in SECRETS if secret in ours]


@pytest.mark.browser
def test_nothing_runs_in_nbgraders_own_feedback(chromium: Any, course: Course) -> None:
    assert_nothing_ran(visit(chromium, by_command(course).as_uri()))


@pytest.mark.browser
def test_nothing_runs_in_the_formgrader(chromium: Any, course: Course) -> None:
    with Gradebook(course.layout.db_url) as gradebook:
        submission = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "mallory").id
    with formgrader(course.root) as address:
        seen = visit(chromium, f"{address}/formgrader/submissions/{submission}/", wait=2)
    assert "Student's answer" in seen.text
    assert HEADING in seen.text
    assert_nothing_ran(seen)
