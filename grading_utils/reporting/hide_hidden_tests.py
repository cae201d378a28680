"""An nbgrader preprocessor that keeps hidden tests out of what plain `nbgrader generate_feedback` writes.

List it in `nbgrader_config.py`, before the stock ones::

    c.GenerateFeedback.preprocessors = [
        "grading_utils.reporting.hide_hidden_tests.HideHiddenTests",
        "nbgrader.preprocessors.GetGrades",
        "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    ]

It changes nothing else: nbgrader's feedback template still shows the student's own HTML as it is, unlike the
pages that `feedback.py` writes.
"""

from __future__ import annotations

from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List

from grading_utils.course.regions import Grammar
from grading_utils.reporting.redaction import redact


class HideHiddenTests(NbGraderPreprocessor):
    """Replaces hidden tests by a count, and what they printed by the message meant for the student."""

    # Nothing is displayed here. Without it traitlets warns of an option that pages of HTML set for every step.
    display_data_priority = List().tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Redact a graded notebook; nbgrader calls this."""
        redact(nb, grammar=Grammar.of(self.config))
        return nb, resources
