"""What PostgreSQL has and the model has no object for: each thing by its class and its name, asked for by one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from migrator.model.catalog import DATABASE, Loss
from migrator.model.objects import QName, quoted

Row = sa.Row[Any]


@dataclass(frozen=True)
class Kind:
    """A class of things: ``what`` it is called, the relation that has a row ``x`` for each, and which rows are meant.

    ``name``, ``schema`` (NULL: none), ``rest`` (what else is said) and ``owner`` (the identifier of the object that a thing
    is a part of) are expressions. ``of``: a join with ``n``, the wanted schemas, and with others. ``extensible``: what an
    extension has made is left to the extension.
    """

    what: str
    relation: str
    name: str
    schema: str = "NULL"
    of: str = ""
    where: str = "true"
    rest: str = "''"
    owner: str = "NULL::oid"
    extensible: bool = True

    @property
    def query(self) -> str:
        """The rows: kind, schema, name, rest, owner."""
        made = f"SELECT FROM ext WHERE ext.classid = '{self.relation}'::regclass AND ext.objid = x.oid"
        free = f" AND NOT EXISTS ({made})" if self.extensible else ""
        return (
            f"SELECT '{self.what}' AS kind, {self.schema}::text AS schema, {self.name}::text AS name,"
            f" {self.rest}::text AS rest, {self.owner} AS owner FROM {self.relation} x {self.of} WHERE ({self.where}){free}"
        )


def _of_schema(
    what: str, relation: str, prefix: str, where: str = "true", rest: str = "''", owner: str = "NULL::oid"
) -> Kind:
    """Things that lie in schemas, in a relation whose columns begin with ``prefix``."""
    of = f"JOIN n ON n.oid = x.{prefix}namespace"
    return Kind(what, relation, f"x.{prefix}name", "n.nspname", of, where, rest, owner)


def _granted(relation: str, prefix: str, default: str, name: str = "", where: str = "true", *, lies: bool = True) -> Kind:
    """Things with other privileges than they have by themselves; ``default``: the class, as acldefault() has it.

    What initdb made, as the schema public, has others from the beginning: those it is compared with.
    """
    acl = f"x.{prefix}acl"
    first = f"SELECT i.initprivs FROM pg_init_privs i WHERE i.classoid = '{relation}'::regclass AND i.objoid = x.oid"
    usual = f"COALESCE(({first} AND i.objsubid = 0), acldefault({default}, x.{prefix}owner))"
    others = f"{acl} IS NOT NULL AND {acl} IS DISTINCT FROM {usual} AND {where}"
    return Kind(
        "grant",
        relation,
        name or f"x.{prefix}name",
        "n.nspname" if lies else "NULL",
        f"JOIN n ON n.oid = x.{prefix}namespace" if lies else "",
        others,
        f"array_to_string({acl}, ', ')",
        "x.oid",
    )


_SIGNATURE = "concat(x.proname, '(', pg_get_function_identity_arguments(x.oid), ')')"


def _owned(
    relation: str, prefix: str, name: str = "", where: str = "true", *, lies: bool = True, kind: str = "owner"
) -> Kind:
    """Things that are another user's than the one that reads them."""
    of = "x.oid" if not lies else f"x.{prefix}namespace"
    return Kind(
        kind,
        relation,
        name or f"x.{prefix}name",
        "n.nspname",
        f"JOIN n ON n.oid = {of}",
        f"pg_get_userbyid(x.{prefix}owner) <> current_user AND {where}",
        f"pg_get_userbyid(x.{prefix}owner)",
        "x.oid",
    )


_NOT_BUILT_IN = "x.oid >= 16384"
_HERE = "(SELECT oid FROM pg_database WHERE datname = current_database())"
_METHOD = "concat('of ', (SELECT amname FROM pg_am WHERE oid = x.{}method))"
_MADE = "SELECT FROM ext WHERE ext.classid = '{0}'::regclass AND ext.objid = {1}.oid"
_TABLES_BESIDE = (
    "SELECT {} FROM pg_class c WHERE c.relnamespace = x.oid AND c.relkind IN ('r', 'p')"
    f" AND NOT EXISTS ({_MADE.format('pg_class', 'c')})"
)
"""The tables of a schema that no extension has made."""
_FEW = 100
"""Up to how many large objects are named one by one."""

KINDS = (
    _of_schema("foreign table", "pg_class", "rel", "x.relkind = 'f' AND NOT x.relispartition"),
    _of_schema("collation", "pg_collation", "coll"),
    Kind(
        "operator",
        "pg_operator",
        "concat(x.oprname, '(', nullif(x.oprleft, 0)::regtype, ', ', nullif(x.oprright, 0)::regtype, ')')",
        "n.nspname",
        "JOIN n ON n.oid = x.oprnamespace",
    ),
    _of_schema("operator class", "pg_opclass", "opc", rest=_METHOD.format("opc")),
    _of_schema("operator family", "pg_opfamily", "opf", rest=_METHOD.format("opf")),
    _of_schema("conversion", "pg_conversion", "con"),
    _of_schema("text search configuration", "pg_ts_config", "cfg"),
    _of_schema("text search dictionary", "pg_ts_dict", "dict"),
    _of_schema("text search parser", "pg_ts_parser", "prs"),
    _of_schema("text search template", "pg_ts_template", "tmpl"),
    _of_schema("statistics", "pg_statistic_ext", "stx", owner="x.stxrelid"),
    Kind(
        "default privileges",
        "pg_default_acl",
        "concat('of ', pg_get_userbyid(x.defaclrole), ' on ', CASE x.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN"
        " 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END)",
        "n.nspname",
        "LEFT JOIN n ON n.oid = x.defaclnamespace",
        "x.defaclnamespace = 0 OR n.oid IS NOT NULL",
        "array_to_string(x.defaclacl, ', ')",
    ),
    Kind(
        "publication",
        "pg_publication",
        "x.pubname",
        where="x.puballtables OR NOT EXISTS (SELECT FROM pg_publication_tables t WHERE t.pubname = x.pubname) OR EXISTS ("
        " SELECT FROM pg_publication_tables t JOIN n ON n.nspname = t.schemaname WHERE t.pubname = x.pubname)",
        rest="CASE WHEN x.puballtables THEN 'of all tables' END",
    ),
    Kind("subscription", "pg_subscription", "x.subname", where=f"x.subdbid = {_HERE}", extensible=False),
    Kind("event trigger", "pg_event_trigger", "x.evtname", rest="concat('on ', x.evtevent)"),
    Kind(
        "cast",
        "pg_cast",
        "concat(x.castsource::regtype, ' AS ', x.casttarget::regtype)",
        where=f"{_NOT_BUILT_IN} AND NOT EXISTS (SELECT FROM pg_depend d"
        " WHERE d.classid = 'pg_cast'::regclass AND d.objid = x.oid AND d.deptype = 'i')",  # made with a range
    ),
    Kind(
        "transform",
        "pg_transform",
        "concat(x.trftype::regtype, ' for ', (SELECT l.lanname FROM pg_language l WHERE l.oid = x.trflang))",
    ),
    Kind("language", "pg_language", "x.lanname", where=_NOT_BUILT_IN),
    Kind(
        "extension dependency",  # ALTER … DEPENDS ON EXTENSION
        "pg_depend",
        "concat(i.type, ' ', i.identity)",
        "n.nspname",
        "CROSS JOIN LATERAL pg_identify_object(x.classid, x.objid, x.objsubid) i LEFT JOIN n ON n.nspname = i.schema",
        "x.deptype = 'x' AND (i.schema IS NULL OR n.oid IS NOT NULL)",
        "concat('on ', (SELECT e.extname FROM pg_extension e WHERE e.oid = x.refobjid))",
        extensible=False,
    ),
    Kind(
        "extension schema",
        "pg_namespace",
        "x.nspname",
        where=f"EXISTS ({_MADE.format('pg_namespace', 'x')}) AND EXISTS ({_TABLES_BESIDE.format('')})",
        rest=f"({_TABLES_BESIDE.format('concat(count(*), $$ tables in it that the extension has not made$$)')})",
        extensible=False,
    ),
    Kind("access method", "pg_am", "x.amname", where=_NOT_BUILT_IN),
    Kind("foreign data wrapper", "pg_foreign_data_wrapper", "x.fdwname"),
    Kind("foreign server", "pg_foreign_server", "x.srvname"),
    Kind(
        "user mapping",
        "pg_user_mappings",
        "concat(coalesce(x.usename, 'public'), ' at ', x.srvname)",
        extensible=False,
    ),
    Kind(
        "large object",
        "pg_largeobject_metadata",
        "x.oid",
        where=f"(SELECT count(*) FROM pg_largeobject_metadata) <= {_FEW}",
        extensible=False,
    ),
    Kind(
        "large objects",
        "(SELECT min(oid) AS least, max(oid) AS greatest, count(*) AS number FROM pg_largeobject_metadata)",
        "concat(x.least, ' to ', x.greatest)",
        where=f"x.number > {_FEW}",
        rest="concat(x.number, ' of them')",
        extensible=False,
    ),
    Kind(
        "security label",
        "pg_seclabels",
        "concat(x.objtype, ' ', x.objname)",
        of="LEFT JOIN n ON n.oid = x.objnamespace",
        where="x.objnamespace IS NULL OR n.oid IS NOT NULL",
        rest="concat(x.provider, ': ', x.label)",
        extensible=False,
    ),
    Kind(
        "settings",
        "pg_db_role_setting",
        "concat('of ', coalesce((SELECT r.rolname FROM pg_roles r WHERE r.oid = x.setrole), 'every role'),"
        " CASE WHEN x.setdatabase <> 0 THEN ' in ' || current_database() END)",
        where=f"x.setdatabase IN (0, {_HERE})",
        rest="(SELECT string_agg(split_part(s.text, '=', 1), ', ') FROM unnest(x.setconfig) s (text))",
        extensible=False,
    ),
    _granted(
        "pg_class",
        "rel",
        "(CASE x.relkind WHEN 'S' THEN 's' ELSE 'r' END)::\"char\"",
        where="x.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')",
    ),
    Kind(
        "grant",
        "pg_attribute",
        "concat(c.relname, '.', x.attname)",
        "n.nspname",
        "JOIN pg_class c ON c.oid = x.attrelid JOIN n ON n.oid = c.relnamespace",
        "x.attacl IS NOT NULL",
        "array_to_string(x.attacl, ', ')",
        "c.oid",
        extensible=False,
    ),
    _granted("pg_proc", "pro", "'f'", _SIGNATURE),
    _granted("pg_type", "typ", "'T'"),
    _granted(
        "pg_namespace",
        "nsp",
        "'n'",
        where="x.oid IN (SELECT n.oid FROM n)",
        lies=False,
    ),
    _granted("pg_foreign_data_wrapper", "fdw", "'F'", lies=False),
    _granted("pg_foreign_server", "srv", "'S'", lies=False),
    Kind(
        "grant",
        "pg_database",
        "x.datname",
        where=f"x.oid = {_HERE} AND x.datacl IS NOT NULL AND x.datacl IS DISTINCT FROM acldefault('d', x.datdba)",
        rest="array_to_string(x.datacl, ', ')",
    ),
    Kind(
        "database comment",
        "pg_database",
        "x.datname",
        where=f"x.oid = {_HERE} AND shobj_description(x.oid, 'pg_database') <> 'default administrative connection database'",
        rest="shobj_description(x.oid, 'pg_database')",
        extensible=False,
    ),
    _owned("pg_class", "rel", where="x.relkind IN ('r', 'p', 'v', 'm', 'S')"),
    _owned("pg_proc", "pro", _SIGNATURE),
    _owned(
        "pg_type",
        "typ",
        where="x.typtype IN ('c', 'd', 'e', 'r')"
        " AND (x.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = x.typrelid))",
    ),
    _owned("pg_namespace", "nsp", where="x.nspname <> 'public'", lies=False),
    _owned("pg_proc", "pro", _SIGNATURE, "x.prosecdef", kind="definer"),
)
"""All classes. ``owner`` and ``definer`` are no things: they tell of one that is another user's, and of a routine that runs
with the rights of that user."""

QUERY = f"""
WITH n AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%s)), ext AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
{" UNION ALL ".join(kind.query for kind in KINDS)} ORDER BY schema, kind, name
"""


SERVER_OBJECTS = (
    Kind(
        "role",
        "pg_roles",
        "x.rolname",
        where=_NOT_BUILT_IN,
        rest="concat_ws(', ', CASE WHEN x.rolsuper THEN 'a superuser' END, CASE WHEN x.rolcanlogin THEN 'may log in' END,"
        " (SELECT concat('a member of ', string_agg(quote_ident(pg_get_userbyid(m.roleid)), ', ' ORDER BY m.roleid))"
        " FROM pg_auth_members m WHERE m.member = x.oid HAVING count(*) > 0))",
        extensible=False,
    ),
    Kind(
        "tablespace",
        "pg_tablespace",
        "x.spcname",
        where=_NOT_BUILT_IN,
        rest="concat('in ', pg_tablespace_location(x.oid))",
        extensible=False,
    ),
)
"""What all databases of a server have."""


def server_objects(connection: sa.Connection) -> tuple[Loss, ...]:
    """The entries about them, but for the role that initdb made."""
    rows = connection.exec_driver_sql(" UNION ALL ".join(kind.query for kind in SERVER_OBJECTS) + " ORDER BY kind, name")
    return tuple(losses(rows, lambda owner: ""))


def losses(rows: Iterable[Row], label: Callable[[int], str]) -> Iterator[Loss]:
    """The entries about what a catalog's :data:`QUERY` has found; ``label``: what the object of an identifier is called."""
    others: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if row.kind == "owner":
            others[row.schema, row.rest].append(row.name)
            continue
        if row.kind == "definer":
            detail = (
                f"it runs with the rights of the importing user (SECURITY DEFINER; at the source: of {quoted(row.rest)})"
            )
            yield Loss(label(row.owner), "security-definer", detail)
            continue
        name = quoted(row.name) if row.schema is None else str(QName(row.schema, row.name))
        place = DATABASE if row.schema is None else f"SCHEMA:{quoted(row.schema)}"
        part_of = (label(row.owner) if row.owner is not None else "") or place
        detail = f"not carried: {row.rest}" if row.rest else "not carried"
        yield Loss(f"{row.kind.upper().replace(' ', '_')}:{name}", row.kind.replace(" ", "-"), detail, part_of=part_of)
    for (schema, owner), names in others.items():
        listed = ", ".join(map(quoted, names))
        detail = f"the owner {quoted(owner)} is not carried, the importing user becomes that of {listed}"
        yield Loss(f"SCHEMA:{quoted(schema)}", "owner", detail)
