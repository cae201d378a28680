"""nbgrader's configuration of this course; `grading-utils` and plain `nbgrader` both read it.

Every list is nbgrader's own, with our stages in the places of those that they replace.
"""

from nbgrader import preprocessors as stock
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback

from grading_utils.authoring.scaffold import ScaffoldSolutions
from grading_utils.course.stages import stages
from grading_utils.grading.nbgrader_steps import RestoreCells, SandboxedExecute, SaveScores
from grading_utils.reporting.hide_hidden_tests import HideHiddenTests

c = get_config()  # noqa: F821  (traitlets provides it)

c.CourseDirectory.course_id = "small-language-models"

# Authors' scaffolds in place of nbgrader's stub.
c.GenerateAssignment.preprocessors = stages(
    GenerateAssignment, "preprocessors", instead={stock.ClearSolutions: ScaffoldSolutions}
)

# A submission is rebuilt on the instructor's notebook (copies of cells included), then runs in the sandbox.
c.Autograde.sanitize_preprocessors = stages(
    Autograde, "sanitize_preprocessors", instead={stock.OverwriteCells: RestoreCells}, without=[stock.DeduplicateIds]
)
c.Autograde.autograde_preprocessors = stages(
    Autograde,
    "autograde_preprocessors",
    instead={stock.Execute: SandboxedExecute, stock.SaveAutoGrades: SaveScores},
)

# Feedback shows what a failed check has to say, never the hidden test itself.
c.GenerateFeedback.preprocessors = [HideHiddenTests, *stages(GenerateFeedback, "preprocessors")]

# Whatever a student wrote, nothing of it runs in the formgrader or in nbgrader's own feedback pages.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "markdown2html": "grading_utils.reporting.exporting.markdown2html",
    "clean_html": "grading_utils.reporting.exporting.clean_html",
    "highlight_code": "grading_utils.reporting.exporting.highlight_code",
}

# Graders see model answer and rubric below each answer; students never do.
c.HTMLExporter.preprocessors = ["grading_utils.reporting.model_answers.ShowModelAnswers"]
