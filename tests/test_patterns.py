"""What holds for every regular expression of the package."""

from __future__ import annotations

import importlib
import pkgutil
import re
from re import _parser as parser

import pytest

import aggregator

MODULES = [
    module.name
    for module in pkgutil.walk_packages(aggregator.__path__, "aggregator.")
    if not module.name.endswith(("__main__", ".building"))  # the one runs, the other needs scikit-learn
]
ONE = {"IN", "LITERAL", "NOT_LITERAL", "ANY", "CATEGORY"}


def possessive_groups(parsed):
    for operation, value in parsed:
        if str(operation) == "POSSESSIVE_REPEAT" and not (len(value[2]) == 1 and str(value[2][0][0]) in ONE):
            yield value
        for part in value if isinstance(value, (tuple, list)) else [value]:
            for each in part if isinstance(part, list) else [part]:
                if isinstance(each, parser.SubPattern):
                    yield from possessive_groups(each)


def patterns(module):
    for name, value in vars(module).items():
        for each in value.values() if isinstance(value, dict) else [value]:
            if isinstance(each, re.Pattern):
                yield name, each


@pytest.mark.parametrize("pattern", ["(?:ab)*+", "x(?:a(?:b|cd)?+)", "(?P<n>(?:ab|[cd]++){1,3}+)"])
def test_a_possessive_group_is_found(pattern):
    assert list(possessive_groups(parser.parse(pattern)))


@pytest.mark.parametrize("name", MODULES)
def test_none_repeats_a_group_possessively(name):
    """Before 3.11.5 (https://github.com/python/cpython/issues/106052) such a repeat matches too much or never ends;
    Debian 12 has 3.11.2. An atomic group, `(?>(?:…)*)`, means the same and is right everywhere.
    """
    found = [
        said
        for said, each in patterns(importlib.import_module(name))
        if list(possessive_groups(parser.parse(each.pattern, each.flags & ~re.DEBUG)))
    ]
    assert found == []
