"""`grading-utils model`: measure the shipped language model, or any other, against what the course needs."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("model")
def command() -> None:
    """The language model that the notebooks run on."""


@command.command("evaluate")
@click.argument("name", required=False)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table here too.")
@click.option("--samples", type=click.IntRange(min=20), default=200, show_default=True, help="Prompts per line.")
def evaluate_command(name: str | None, json_file: Path | None, samples: int) -> None:
    """Print what NAME can do: a folder, a hub name, or the shipped model.

    Every line says what was wanted and whether it was reached. The exit code is 0 either way: falling short is a
    finding, not an error.
    """
    from grading_utils.language_model.evaluate import evaluate
    from grading_utils.language_model.lines import render, write_json
    from grading_utils.language_model.resolver import SHIPPED_NAME, find_model

    lines = evaluate(find_model(name or SHIPPED_NAME), samples)
    click.echo(render(lines))
    if json_file is not None:
        write_json(lines, json_file)
