"""nbgrader's configuration of this course; `grading-utils` and plain `nbgrader` both read it."""

from nbgrader import preprocessors as stock

from grading_utils.authoring.scaffold import ScaffoldSolutions

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
