"""The command that shows everything to somebody who has just met it: demo."""

from __future__ import annotations

import click

from aggregator.cli.common import folders


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    metavar="PORT",
    default=8080,
    show_default=True,
    help="The port of the site; another one where it is taken.",
)
@click.option("--keep", is_flag=True, help="Leave the demo's folder in place at the end.")
@click.option("--seconds", type=click.FloatRange(min=0), metavar="N", help="End by itself after N seconds.")
@folders
def demo(port: int, keep: bool, seconds: float | None) -> None:
    """Show everything on a dozen invented publishers, without a network, until Ctrl-C.

    Your own configuration and data are not touched: the demo brings its own, in a temporary folder, or in `demo` under
    the folder that --data names.
    """
    import asyncio

    from aggregator import demo as show

    given = click.get_current_context().ensure_object(dict)
    asyncio.run(show.run(port, given.get("data"), keep, seconds, click.echo))
