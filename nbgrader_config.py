"""nbgrader's configuration of this course; `grading-utils` and plain `nbgrader` both read it."""

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader import preprocessors as stock

from grading_utils.authoring.scaffold import ScaffoldSolutions
from grading_utils.grading.nbgrader_steps import RestoreCells, SandboxedExecute, SaveScores
from grading_utils.reporting.hide_hidden_tests import HideHiddenTests

c = get_config()  # noqa: F821  (traitlets provides it)

c.CourseDirectory.course_id = "small-language-models"

# nbgrader's own order, with our scaffolds in place of its stub.
c.GenerateAssignment.preprocessors = [
    stock.IncludeHeaderFooter,
    stock.LockCells,
    ScaffoldSolutions,
    stock.ClearOutput,
    stock.CheckCellMetadata,
    stock.ComputeChecksums,
    stock.SaveCells,
    stock.ClearHiddenTests,
    stock.ClearMarkScheme,
    stock.ComputeChecksums,
    stock.CheckCellMetadata,
]

# A submission is rebuilt on the instructor's notebook, then runs in the sandbox; scoring is nbgrader's own.
c.Autograde.sanitize_preprocessors = [RestoreCells, stock.CheckCellMetadata]
c.Autograde.autograde_preprocessors = [
    SandboxedExecute,
    stock.LimitOutput,
    SaveScores,
    stock.AssignLatePenalties,
    stock.CheckCellMetadata,
]

# Feedback shows what a failed check has to say, never the hidden test itself.
c.GenerateFeedback.preprocessors = [HideHiddenTests, stock.GetGrades, CSSHTMLHeaderPreprocessor]

# Whatever a student wrote, nothing of it runs in the formgrader or in nbgrader's own feedback pages.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "markdown2html": "grading_utils.reporting.exporting.markdown2html",
    "clean_html": "grading_utils.reporting.exporting.clean_html",
}
