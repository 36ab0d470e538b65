"""Help texts and the reference page, written from the table of parameters and the table of object types."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from migrator.errors import UnknownParameter
from migrator.object_types import OBJECT_TYPES
from migrator.params import PARAMETERS, Client, Parameter

USAGE = """\
migrator expdp CONNECTION [NAME=value …]     export a database into a dump file set
migrator impdp CONNECTION [NAME=value …]     import a dump file set or a linked database, or write a SQL script
migrator help [parameter]                    describe the parameters, or one of them
migrator help --markdown [page]              print a page of docs/: parameters, access-methods
migrator --version

CONNECTION is a SQLAlchemy URL such as postgresql://hr@localhost/hr or sqlite:///hr.db, or the name of a connection
from the configuration file (MIGRATOR_CONFIG, else ~/.config/migrator/config.toml). With SQLFILE it may be a dialect
only: oracle: postgresql: mysql: sqlite:
"""

TITLES: dict[Client, str] = {"expdp": "Export (expdp)", "impdp": "Import (impdp)"}


def overview() -> str:
    """The commands, and the parameters of both clients."""
    return "\n".join([USAGE, client_help("expdp"), client_help("impdp")])


def client_help(client: Client) -> str:
    """The parameters of one client, a line or two each."""
    rows = [row for row in PARAMETERS if client in row.clients and not row.refusal]
    refused = ", ".join(row.name for row in PARAMETERS if client in row.clients and row.refusal)
    lines = [TITLES[client], ""]
    for row in rows:
        lines += textwrap.wrap(row.summary, 92, initial_indent=f"  {row.name:21} ", subsequent_indent=" " * 24)
    lines += ["", *textwrap.wrap(f"Known and refused: {refused}", 115, initial_indent="  ", subsequent_indent="  ")]
    return "\n".join(lines) + "\n"


def parameter_help(name: str) -> str:
    """All there is to say about one parameter.

    :raises UnknownParameter: there is none of that name.
    """
    rows = [row for row in PARAMETERS if row.name == name.upper()]
    if not rows:
        raise UnknownParameter(name=name, hint="")
    return "\n\n".join("\n".join(_facts(row)) for row in rows) + "\n"


def _facts(row: Parameter) -> Iterator[str]:
    yield f"{row.name} ({', '.join(sorted(row.clients))})"
    yield from textwrap.wrap(row.summary, 92, initial_indent="  ", subsequent_indent="  ")
    if row.refusal:
        yield f"  Refused: {row.refusal}."
        return
    yield f"  Value:   {row.value}" + ("; may be repeated" if row.many else "")
    if row.default:
        yield f"  Default: {row.default}"
    if row.example:
        yield f"  Example: {row.example}"


# --- the page -------------------------------------------------------------------------------------------------------

_HEAD = """\
# Parameters

<!-- Written by `migrator help --markdown parameters`; do not edit. -->

`migrator expdp CONNECTION NAME=value …` exports, `migrator impdp CONNECTION NAME=value …` imports. `CONNECTION` is a
SQLAlchemy URL or the name of a connection from the configuration file; with `SQLFILE` it may be a dialect only, such as
`oracle:`.

## How values are written

- Names of parameters are case-insensitive; values are taken as written. A name in a value means the object spelled
  exactly so, and where there is none, the one object whose name differs in case only.
- Items of a list are separated by commas, in parentheses if you like: `TABLES=emp,dept` or `TABLES=(emp,dept)`.
  A parameter that takes a list may be repeated, and the items add up; another one may be given once.
- Double quotes go around what holds a comma, a dot, a colon or a blank: `TABLES="Order Details"`. A double quote inside
  is doubled. Shells take quotes away, so put them between single quotes (`'TABLES="Order Details"'`), or use a PARFILE.
- A name clause is one of `IN ('A', 'B')`, `= 'A'`, `!= 'A'`, `LIKE 'A%'`, `<`, `<=`, `>`, `>=` with a text in single
  quotes, and `NOT IN` and `NOT LIKE`.
- A PARFILE has one `NAME=value` a line. Lines beginning with `#` are comments. A value goes on in the next line after a
  backslash or comma at its end, inside double quotes, and inside parentheses. What the command line gives goes before
  what the PARFILE gives; lists add up.
- A file is named without a path; `directory:file` puts it into another directory than `DIRECTORY`.
- What is not in these tables is refused, and so is what contradicts itself; nothing is ignored.
"""


def page() -> str:
    """The reference page as Markdown."""
    supported = [row for row in PARAMETERS if not row.refusal]
    refused = [row for row in PARAMETERS if row.refusal]
    lines = [
        _HEAD,
        "## Parameters",
        "",
        "| name | client | what it does | value | default | example |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        _line(f"`{row.name}`", _clients(row), row.summary, _code(row.value), row.default, _code(row.example))
        for row in supported
    ]
    lines += [
        "",
        "## Parameters that are known and refused",
        "",
        "| name | client | what it does in Data Pump | why |",
        "|---|---|---|---|",
    ]
    lines += [_line(f"`{row.name}`", _clients(row), row.summary, row.refusal) for row in refused]
    lines += ["", "## Object types for INCLUDE and EXCLUDE", "", "| type | what it means |", "|---|---|"]
    lines += [_line(f"`{row.name}`", row.meaning) for row in OBJECT_TYPES if row.scope != "absent"]
    absent = ", ".join(f"`{row.name}`" for row in OBJECT_TYPES if row.scope == "absent")
    lines += ["", *textwrap.wrap(f"No job moves these yet; EXCLUDE may name them, INCLUDE may not: {absent}.", 120)]
    return "\n".join(lines) + "\n"


_ACCESS_HEAD = """\
# Access methods

<!-- Written by `migrator help --markdown access-methods`; do not edit. -->

Each table's rows move by the first of these methods that no rule bars. With `METRICS=YES` the log says for each table which
method it was (`network_link` where the rows came from a linked database), and, where it was not the first, why.
"""


def access_methods_page() -> str:
    """The page about access methods as Markdown."""
    from migrator.access import MEANINGS, RULES, Method  # with SQLAlchemy, which no other help text needs

    lines = [_ACCESS_HEAD, "| method | what it does |", "|---|---|"]
    lines += [_line(f"`{method}`", MEANINGS[method]) for method in Method]
    lines += ["", "## Rules", "", "| rule | bars | when |", "|---|---|---|"]
    for rule in RULES:
        barred = ", ".join(f"`{method}`" for method in Method if method in rule.bars)
        lines.append(_line(f"`{rule.name}`", barred, rule.sentence))
    facts = (
        "A fact about a table that its database would not tell counts as true. Rows are always unloaded by `direct_path`."
    )
    return "\n".join([*lines, "", facts]) + "\n"


PAGES = {"parameters": page, "access-methods": access_methods_page}
"""The pages of docs/ that are written from tables, by name."""


def _clients(row: Parameter) -> str:
    return ", ".join(sorted(row.clients))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
