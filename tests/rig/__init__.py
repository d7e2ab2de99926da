"""A hostile publisher for every sentence of our manners and of our safety.

    stage         the hosts, the rounds of `aggregator poll --now`, what a case sees of them
    validators, rhythm, failing, moving, hosts      the cases of docs/manners.md
    network, bodies, documents                      the cases of what must never hurt us
    table         sentence → cases
    report        how polite the rounds were, from the hosts' own log

A case is a story in rounds: a generator that yields what its host answers in the next round, and is handed what came of
it. Each case has a host (an address of 127.0.0.0/8) of its own. All of them are told in the same rounds, each round
one process of the real command, so that whatever a case expects of a later round has survived a restart.
"""

import pytest

for module in ("validators", "rhythm", "failing", "moving", "hosts", "network", "bodies", "documents"):
    pytest.register_assert_rewrite(f"tests.rig.{module}")
