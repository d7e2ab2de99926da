"""The commands about the configuration and the program itself: check, schema, version."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from aggregator import __version__, errors
from aggregator.cli.common import WRONG, as_json_option, ask_for_contact, folders, load, print_json


@click.command()
@as_json_option
@folders
def check(as_json: bool) -> None:
    """Check the configuration; every problem with its file, line and column."""
    try:
        config = load()
    except errors.ConfigError as error:
        if not as_json:
            raise
        for problem in error.problems:
            print_json({key: getattr(problem, key) for key in ("file", "line", "column", "message", "hint")})
        sys.exit(WRONG)
    if not as_json:
        ask_for_contact(config)
        click.echo(f"{config.folder}: {len(config.sources)} sources, {len(config.categories)} categories, no problem")


@click.command()
@folders
def schema() -> None:
    """Write the JSON Schema of each configuration file into schema/ beside it, where its first line names it."""
    from aggregator import config

    given = click.get_current_context().ensure_object(dict)
    target = Path(given.get("config", "config")) / "schema"
    target.mkdir(parents=True, exist_ok=True)
    for name, content in config.schemas().items():
        path = target / f"{name}.schema.json"
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
        click.echo(path)


@click.command()
@folders
def version() -> None:
    """Print the version."""
    click.echo(f"aggregator {__version__}")
