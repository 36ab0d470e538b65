"""Results as tables of the terminal and as sections of a Markdown page."""

from __future__ import annotations

import argparse
import datetime
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import data
from benchmarks.measure import Command
from benchmarks.tools import machine, versions

NOTE = "<!-- Written by the programs of benchmarks/ (--markdown); do not edit. -->"


@dataclass
class Results:
    """A table of results, what is to be said about it, and the command lines behind it, by their names."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    commands: Mapping[str, Command] = field(default_factory=dict)

    def show(self, console: Console) -> None:
        """Print it."""
        table = Table(*self.heads, title=self.title)
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        for note in self.notes:
            console.print(note)

    def markdown(self, hidden: Mapping[str, str]) -> Iterable[str]:
        """Its lines; ``hidden``: what the names of directories are replaced by."""
        yield from (f"### {self.title}", "")
        yield from (_line(self.heads), _line(["---"] * len(self.heads)), *(_line(row) for row in self.rows))
        yield from ("", *(line for note in self.notes for line in (note, "")))
        if self.commands:
            yield from ("Commands:", "", "```sh")
            yield from (f"# {name}\n{_plain(command, hidden)}" for name, command in self.commands.items())
            yield from ("```", "")


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _plain(command: Command, hidden: Mapping[str, str]) -> str:
    line = command if isinstance(command, str) else shlex.join(command)
    for found, name in hidden.items():
        line = line.replace(found, name)
    return line


def verdicts(judged: Iterable[str]) -> str:
    """How many of the targets are met."""
    counted = [verdict for verdict in judged if verdict]
    return f"{counted.count('met')} of {len(counted)} targets are met."


def publish(
    results: Sequence[Results], page: Path | None, program: str, hidden: Mapping[str, str], databases: Iterable[str]
) -> None:
    """Print results, and put them into a page, if one is named, in the place of what the same program has written there."""
    for result in results:
        result.show(Console(width=160))
    if page is not None:
        used = {"databases": ", ".join(databases)} | versions()
        head = [
            f"`python -m {program} {shlex.join(sys.argv[1:])}` on {datetime.date.today()}",
            "",
            f"- machine: {machine()}",
            *(f"- {name}: {version}" for name, version in used.items()),
            "",
        ]
        body = [line for result in results for line in result.markdown(hidden)]
        _put(page, program, "\n".join([*head, *body]))


def _put(page: Path, heading: str, body: str) -> None:
    """A page's section is replaced, or added at its end."""
    _, *sections = page.read_text().split("\n## ") if page.exists() else [""]
    kept = {section.partition("\n")[0]: section.partition("\n")[2].strip() for section in sections}
    kept[heading] = body.strip()
    page.write_text("\n".join([f"# Benchmarks\n\n{NOTE}", *(f"\n## {name}\n\n{text}" for name, text in kept.items()), ""]))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that programs with contests have."""
    parser.add_argument("--rows", type=int, default=300_000, help="rows of the largest table")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contestant")
    parser.add_argument("--tables", nargs="+", default=data.EVERY, choices=data.EVERY)
    add_page(parser)


def add_page(parser: argparse.ArgumentParser) -> None:
    """The option that all programs have."""
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="put the results into a page, too")
