"""How the cost of a cycle grows with the number of feeds, and with what is stored.

    .venv/bin/python -m tests.bench.growth [--feeds 1000] [--times 10] [--history 9]

CPU of the daemon and its children, in seconds, for the cycles of tests/bench/cycle.py. First over `--feeds` feeds, then
over `--times` as many, in a daemon of its own. Then over the first ones again, when `--history` times their entries
have been published, polled and have left their documents: the least of three cycles before, and of three after.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.bench.cycle import SCENARIOS, Daemon, Farm

ROUNDS = 3  # cycles of a kind, of which the least counts


def cycles(farm: Farm, daemon: Daemon, scenarios: tuple[str, ...]) -> dict[str, float]:
    """CPU of a cycle of each scenario."""
    costs = {}
    for scenario in scenarios:
        rounds = []
        for _ in range(1 if scenario == "cold" else ROUNDS):
            farm.prepare(scenario)
            rounds.append(daemon.cycle()["cpu"])
        costs[scenario] = min(rounds)
    return costs


def measure(feeds: int, history: int) -> tuple[dict[str, float], dict[str, float], int]:
    """The costs, those with a longer history (none without), and how many entries are missing in the end."""
    farm = Farm(feeds)
    try:
        with tempfile.TemporaryDirectory() as folder:
            daemon = Daemon(Path(folder), farm.ask("urls").split())
            try:
                before = cycles(farm, daemon, SCENARIOS)
                for _ in farm.history(history):
                    daemon.cycle()
                after = cycles(farm, daemon, SCENARIOS[1:]) if history else {}
                return before, after, farm.published() - daemon.stored()
            finally:
                daemon.close()
    finally:
        farm.process.terminate()
        farm.process.wait()


def main() -> None:
    """Print the costs and their ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--history", type=int, default=9)
    arguments = parser.parse_args()
    few, later, missing = measure(arguments.feeds, arguments.history)
    many, _, more_missing = measure(arguments.feeds * arguments.times, 0) if arguments.times > 1 else ({}, {}, 0)
    print(f"{'s CPU':12} {arguments.feeds:>7} feeds {arguments.times:>4} times {'÷':>6} {'history':>8} {'÷':>6}")
    for scenario, cost in few.items():
        grown, old = many.get(scenario, float("nan")), later.get(scenario, float("nan"))
        print(f"{scenario:12} {cost:13.2f} {grown:10.2f} {grown / cost:6.1f} {old:8.2f} {old / cost:6.2f}")
    print(f"{missing + more_missing} entries missing")


if __name__ == "__main__":
    main()
