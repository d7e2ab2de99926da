"""Commands, exit codes, and what is printed: 0 fine, 1 failed, 2 usage or configuration.

Imports of what a command needs stand in the command, so that a light one starts in a fifth of a second.
"""

from __future__ import annotations

import click

from aggregator import __version__
from aggregator.cli import (
    comparing,
    configuring,
    demonstrating,
    editing,
    explaining,
    filing,
    keeping,
    running,
    sources,
    stored,
    telling,
    trying,
    wording,
)
from aggregator.cli.common import Group, folders


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aggregator", message="%(prog)s %(version)s")
@folders
def main() -> None:
    """Polls many feeds, files each story into categories, and republishes curated category feeds."""


for _command in (
    running.run,
    running.poll,
    running.publish,
    demonstrating.demo,
    stored.status,
    configuring.check,
    sources.sources,
    explaining.explain,
    comparing.compare,
    stored.export,
    keeping.import_,
    keeping.backup,
    keeping.restore,
    telling.stories,
    telling.story,
    trying.try_,
    filing.plan,
    filing.apply,
    filing.file,
    filing.unfile,
    editing.hide,
    wording.words,
    configuring.schema,
    configuring.version,
):
    main.add_command(_command)
