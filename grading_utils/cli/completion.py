"""`grading-utils completion`: the script with which a shell completes commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that lets the Tab key complete commands, options, assignments and students in SHELL.

    \b
    bash: grading-utils completion bash >> ~/.bashrc
    zsh:  grading-utils completion zsh >> ~/.zshrc
    fish: grading-utils completion fish > ~/.config/fish/completions/grading-utils.fish
    """
    from grading_utils.cli import main

    completion = get_completion_class(shell)
    assert completion is not None, shell
    click.echo(completion(main, {}, "grading-utils", "_GRADING_UTILS_COMPLETE").source())
