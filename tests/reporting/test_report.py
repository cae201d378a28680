"""The instructor's report page and the command that writes it."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from grading_utils.cli.report import command
from grading_utils.errors import CourseError
from grading_utils.reporting.records import write_json
from grading_utils.reporting.report import write_report
from grading_utils.reporting.standings import Standing
from grading_utils.results import CellResult, Status, SubmissionResult

from ..browsing import browser

VOID = {"meta", "br", "img", "hr", "link", "input"}
ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>`<b>`"


class Structure(HTMLParser):
    """Checks that every element is closed and collects what the page holds."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def structure(page: str) -> Structure:
    parser = Structure()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def written(results: list[SubmissionResult], folder: Path) -> str:
    write_report(map(Standing.of, results), folder / "report.html", course_name="A <course>")
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("count", [0, 1, 2, 12, 60])
def test_the_report_is_well_formed_for_every_size_of_class(count: int, results, tmp_path: Path) -> None:
    structure(written(results[:count], tmp_path))


def test_the_report_names_everybody_every_question_and_every_problem(results, tmp_path: Path) -> None:
    page = written(results, tmp_path)
    for result in results:
        assert result.student in page
        assert all(cell.grade_id in page for cell in result.cells)
    assert "is not valid JSON" in page
    assert "looks like an endless loop" in page


def test_the_report_loads_nothing(results, tmp_path: Path) -> None:
    page = written(results, tmp_path)
    for tag, attributes in structure(page).tags:
        assert not {"src", "srcset"} & set(attributes)
        assert str(attributes.get("href", "#")).startswith("#")
        assert tag not in {"link", "iframe", "object", "embed"}
    assert "url(" not in page
    assert "@import" not in page


def test_every_plot_says_in_words_what_it_shows(results, tmp_path: Path) -> None:
    plots = [attributes for tag, attributes in structure(written(results, tmp_path)).tags if tag == "svg"]
    assert len(plots) == 2
    assert all("90 to 100 percent" in str(plot["aria-label"]) and plot["role"] == "img" for plot in plots)


def test_only_our_script_may_run(results, tmp_path: Path) -> None:
    page = written(results, tmp_path)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in page


def test_nothing_a_student_controls_becomes_markup(tmp_path: Path) -> None:
    results = [
        SubmissionResult(
            student=f"{name}{ATTACK}",
            assignment=f"{assignment}{ATTACK}",
            status=status,
            score=0.0,
            max_score=1.0,
            message=ATTACK,
            cells=(CellResult(grade_id=f"q{ATTACK}", score=0.0, max_score=1.0, message=ATTACK),),
        )
        for name in ("ada", "bob")
        for assignment in ("1", "2")
        for status in (Status.GRADED, Status.NEEDS_ATTENTION, Status.FAILED)
    ]
    tags = structure(written(results, tmp_path)).tags
    assert [tag for tag, _ in tags].count("script") == 1
    assert not [tag for tag, _ in tags if tag in {"img", "b"} and tag == "img"]
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]


def test_the_instructor_reads_all_that_a_hidden_check_said(tmp_path: Path) -> None:
    cells = (
        CellResult(grade_id="q", score=0.0, max_score=1.0, message="not <your value>", details="not 'the secret'"),
    )
    result = SubmissionResult(
        student="ada", assignment="1", status=Status.GRADED, score=0.0, max_score=1.0, cells=cells
    )
    page = written([result], tmp_path)
    assert "not &lt;your value&gt;" in page
    assert "not &#39;the secret&#39;" in page


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path


def test_the_command_writes_the_report_of_a_course(course: Path, results) -> None:
    write_json(results, course / "grades.json")
    outcome = CliRunner().invoke(command, ["--course", str(course)], catch_exceptions=False)
    assert outcome.exit_code == 0
    assert f"{len(results)} submissions" in outcome.output
    assert "predict-next-tokens" in (course / "report.html").read_text(encoding="utf-8")
    assert not (course / "gradebook.db").exists()


@pytest.mark.parametrize("content", [None, "[]"])
def test_the_command_says_when_nothing_was_graded_yet(content: str | None, course: Path) -> None:
    if content is not None:
        (course / "grades.json").write_text(content)
    with pytest.raises(CourseError, match="run `grading-utils grade` first"):
        CliRunner().invoke(command, ["--course", str(course)], catch_exceptions=False)


@pytest.mark.browser
def test_a_heading_sorts_its_table_in_a_browser(results, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    page = written([r for r in results if r.assignment == "04-next-token"], tmp_path)
    click = "document.querySelectorAll('th button')[2].click();"
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    (tmp_path / "report.html").write_text(page.replace("</script>", f"{click}</script>"), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom"]
    dump = subprocess.run(
        [chromium, *flags, (tmp_path / "report.html").as_uri()], capture_output=True, text=True, timeout=90, check=True
    ).stdout
    table = dump[dump.index('aria-sort="descending"') :]
    scores = [float(value) for value in re.findall(r'<td class="fb-num" data-value="(-?[\d.]+)">(?:[\d.]+|–)<', table)]
    assert len(scores) == 30
    assert scores == sorted(scores, reverse=True)


@pytest.mark.browser
def test_a_large_class_can_be_sorted_searched_and_read_on_a_phone(tmp_path: Path) -> None:
    people = {"Ann Lee": 2.5, "Zoë Müller": 2.25, "Bo Lind": 10.0, "Søren Øst": 0.125, "Ida Lee": 9.75}
    standings = [
        Standing(
            student=f"s{number}", assignment="a", status=Status.GRADED, score=score, max_score=10.0,
            first_name=name.split()[0], last_name=name.split()[1],
            cells=(CellResult(grade_id="q", score=score, max_score=10.0),),
        )
        for number, (name, score) in enumerate(people.items())
    ]  # fmt: skip
    standings += [
        Standing(student=f"lost{number:02}", assignment="a", status=Status.FAILED, message="ends in the middle")
        for number in range(60)
    ]
    write_report(standings, tmp_path / "report.html")
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 390, "height": 844})
        page.goto((tmp_path / "report.html").as_uri())
        page.get_by_role("button", name="Points").click()
        told = page.locator("tr[data-student] td:nth-of-type(2)").all_inner_texts()
        assert told[:5] == ["10", "9.75", "2.5", "2.25", "0.13"]
        assert page.get_by_text("and 48 others").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        for wanted, found in (("zoe", 1), ("lee an", 1), ("LEE", 2), ("lost", 60), ("nobody", 0)):
            page.get_by_label("Find a student").fill(wanted)
            assert page.get_by_role("status").inner_text() == f"{found} found"
            assert page.locator("tr[data-student]:visible").count() == found
        page.get_by_label("Find a student").fill("")
        page.locator("tr[data-student]").last.scroll_into_view_if_needed()
        tops = page.evaluate(
            "[...document.querySelectorAll('table[data-sortable]')].map(table => ["
            "table.tHead.rows[0].cells[0], table.parentElement].map(element => element.getBoundingClientRect().top))"
        )
        assert all(abs(heading - region) < 2 for heading, region in tops)
        page.close()
