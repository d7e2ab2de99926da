"""What the documentation says of the code is true."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from aggregator import cli, config, daemon

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def modules():
    package = ROOT / "aggregator"
    folders = {path.parent for path in package.glob("*/__init__.py")}
    names = {f"aggregator/{path.name}" for path in package.glob("*.py") if path.name != "__init__.py"}
    return names | {f"aggregator/{folder.name}/" for folder in folders}


def test_where_does_it_live_names_every_module_and_no_other():
    assert set(re.findall(r"`(aggregator/[\w/.]+)` \|", ARCHITECTURE)) == modules()


def test_every_link_of_the_documentation_leads_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_every_note_is_listed():
    listed = set(re.findall(r"\]\(notes/([\w-]+\.md)\)", ARCHITECTURE))
    assert listed == {path.name for path in (ROOT / "docs" / "notes").glob("*.md")}


def test_every_command_is_in_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in cli.main.commands if f"aggregator {name}" not in readme] == []


def test_what_needs_a_restart_is_said_so(tmp_path):
    """Of every key of aggregator.yaml, in the documentation and where the keys are written."""

    def loaded(settings):
        for name, text in {"sources": "sources: []", "categories": "categories: []", "aggregator": settings}.items():
            (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
        return config.load(tmp_path, {})

    other = (
        "{site: {title: x}, listen: 127.0.0.1:1, data: x, fetch: {deadline: 1s}, poll: {floor: 1s}, publish:"
        " {limit: 1}, store: {keep: 1d}, log: {level: debug}}"
    )
    keys = daemon._needs_restart(loaded("{}"), loaded(other))
    said = f"{', '.join(f'`{key}`' for key in keys[:-1])} and `{keys[-1]}` need a restart"
    for page in ("docs/configuration.md", "config/aggregator.yaml"):
        assert said in (ROOT / page).read_text("utf-8")


def test_each_mandated_library_has_one_importer():
    importers = {"feedparser": "parse", "feedgen": "publish", "apscheduler": "schedule", "sqlite_utils": "store"}
    for path in (ROOT / "aggregator").rglob("*.py"):
        text = path.read_text("utf-8")
        module = path.relative_to(ROOT / "aggregator").parts[0].removesuffix(".py")
        for library, importer in importers.items():
            if re.search(rf"^\s*(?:import|from) {library}\b", text, re.MULTILINE):
                assert module == importer, f"{path} imports {library}"


def test_help_names_both_folders_and_every_command():
    help_text = CliRunner().invoke(cli.main, ["--help"]).output
    for word in ("--config", "Default: config.", "--data", "Default: `data` in", *cli.main.commands):
        assert word in help_text
