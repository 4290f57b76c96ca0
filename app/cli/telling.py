"""An error of ours at the terminal: a sentence and what to do next, never a traceback."""

import click

from core.errors import TrialCpaError


def tell(error: TrialCpaError) -> None:
    """Tell it on standard error; what a service answered keeps its own code."""
    click.echo(f"Error: {error}\n  {error.hint}  [{error.fields.get('problem', error.code)}]", err=True)
