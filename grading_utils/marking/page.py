"""The answers of an assignment as a page, question by question, with links into the formgrader.

Nothing in the page can run. It holds model answers and rubrics, so it is for graders alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from grading_utils.marking.alike import Group
from grading_utils.marking.answers import Answer, Question
from grading_utils.reporting import safe_html
from grading_utils.reporting.pages import render


@dataclass(frozen=True)
class GroupView:
    """One group as the page shows it."""

    answers: tuple[Answer, ...]
    wordings: tuple[Markup, ...]
    given: tuple[tuple[float, Markup, str], ...]
    """Score, comment, and the names of those who got both."""
    waiting: int


@dataclass(frozen=True)
class QuestionView:
    """One question as the page shows it."""

    name: str
    points: float
    model_answer: Markup
    groups: tuple[GroupView, ...]


def write_page(
    path: Path, assignment: str, groups: Iterable[tuple[Question, Group]], *, formgrader: str = "", course: str = ""
) -> int:
    """Write the page.

    Args:
        path: The file.
        assignment: The assignment.
        groups: In the order in which they are shown; those of a question stand together.
        formgrader: The address of the formgrader, for links to each answer; "" for none.
        course: What to call the course.

    Returns:
        The number of groups.
    """
    sections: dict[Question, list[Group]] = {}
    for question, group in groups:
        sections.setdefault(question, []).append(group)
    views = [
        QuestionView(
            question.name,
            found[0].answers[0].points,
            _text(question.model_answer, question.is_code),
            tuple(_view(group, question.is_code) for group in found),
        )
        for question, found in sections.items()
    ]
    page = render(
        "answers.html",
        policy=safe_html.POLICY,
        course=course,
        assignment=assignment,
        questions=views,
        formgrader=formgrader.rstrip("/"),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", errors="replace")
    return sum(len(view.groups) for view in views)


def _view(group: Group, is_code: bool) -> GroupView:
    given = tuple(
        (score, safe_html.markdown(comment), ", ".join(names)) for (score, comment), names in group.given.items()
    )
    wordings = tuple(_text(text, is_code) for text in group.wordings)
    return GroupView(group.answers, wordings, given, len(group.waiting))


def _text(source: str, is_code: bool) -> Markup:
    return safe_html.code(source) if is_code else safe_html.markdown(source)
