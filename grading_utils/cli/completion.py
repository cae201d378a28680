"""`grading-utils completion`: the script with which a shell completes commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_ZSH_STARTS = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n"
"""A .zshrc that has not started zsh's completion knows no `compdef`."""


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
    script = completion(main, {}, "grading-utils", "_GRADING_UTILS_COMPLETE").source()
    click.echo(_ZSH_STARTS + script if shell == "zsh" else script)
