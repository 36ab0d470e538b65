"""The catalog queries of :mod:`.dictionary`, one for each kind of object, each for any number of objects.

They run with an empty ``search_path``, so that deparsed text is fully qualified, and take the list of schemas.
``{NAME}`` stands for what older versions lack: see :data:`SINCE`.
"""

from __future__ import annotations

SINCE: tuple[tuple[str, int, str, str], ...] = (
    ("NULLS_NOT_DISTINCT", 150000, "i.indnullsnotdistinct", "false"),
    ("SET_COLUMNS", 150000, "k.confdelsetcols", "NULL::int2[]"),
    ("ENFORCED", 180000, "k.conenforced", "true"),
    ("PERIOD", 180000, "k.conperiod", "false"),
    ("COMPRESSION", 140000, "a.attcompression", "''"),
    ("TRIGGER_PARENT", 130000, "g.tgparentid", "0"),
    ("MULTIRANGE", 140000, "r.rngmultitypid", "0"),
)
"""Name, the first ``server_version_num`` that has it, how it is asked for there, what stands for it before."""

UNLOGGED_SEQUENCES = 150000
"""The first version that has them: before, the sequence of an UNLOGGED table's identity was none, and nothing said so."""

_NOT_OF_EXTENSION = """NOT EXISTS (
    SELECT FROM pg_depend e WHERE e.classid = '{catalog}'::regclass AND e.objid = {oid} AND e.deptype = 'e')"""


def _own(catalog: str, oid: str) -> str:
    return _NOT_OF_EXTENSION.format(catalog=catalog, oid=oid)


_COMPUTED = "CONST FUNCEXPR OPEXPR RELABELTYPE COERCEVIAIO COERCETODOMAIN BOOLEXPR NULLTEST COALESCE COALESCEEXPR"
"""The nodes of a stored expression that show all that they are computed of."""
_OF_SETTINGS = (17, 790, 1082, 1083, 1114, 1184, 1186, 1266)
"""Types whose text is read and written by a session's settings: bytea, money, days and times."""


def _constant(tree: str) -> str:
    """Whether a stored expression is the same value every time, computed by PostgreSQL's own functions only."""
    return rf"""({tree}::text !~ '\{{(?!({_COMPUTED.replace(" ", "|")})\M)'
           AND ({tree}::text !~ '\{{COERCEVIAIO' OR {tree}::text !~ 'type ({"|".join(map(str, _OF_SETTINGS))})\M')
           AND NOT EXISTS (SELECT FROM regexp_matches({tree}::text, ':(?:funcid|opfuncid) (\d+)', 'g') f(id)
               JOIN pg_proc p ON p.oid = f.id[1]::oid
               WHERE p.provolatile <> 'i' OR p.pronamespace <> 'pg_catalog'::regnamespace))"""


ALL_SCHEMAS = f"""
SELECT n.nspname FROM pg_catalog.pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND {_own("pg_catalog.pg_namespace", "n.oid")}
ORDER BY n.nspname
""".replace("pg_depend", "pg_catalog.pg_depend").replace("::regclass", "::pg_catalog.regclass")

TABLES_OF = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p') AND c.relnatts >= %s
GROUP BY c.oid, n.nspname, c.relname HAVING pg_catalog.array_agg(pg_catalog.lower(a.attname) ORDER BY a.attnum) = %s
"""

SCHEMAS = """
SELECT n.nspname AS schema, obj_description(n.oid, 'pg_namespace') AS comment
FROM pg_namespace n WHERE n.nspname = ANY(%s) ORDER BY 1
"""

TYPES = f"""
SELECT t.oid, n.nspname AS schema, t.typname AS name, t.typtype AS kind, t.typbasetype AS base, t.typtypmod AS modifier,
       t.typnotnull AS not_null, CASE WHEN e.typarray = t.oid THEN e.oid END AS element,
       format_type(t.oid, NULL) AS declaration, format_type(t.typbasetype, t.typtypmod) AS base_declaration,
       pg_get_expr(t.typdefaultbin, 0) AS default_, obj_description(t.oid, 'pg_type') AS comment,
       {_constant("t.typdefaultbin")} AS constant,
       t.typtype = 'd' AND t.typcollation <> b.typcollation AS collated, c.relkind,
       (SELECT array_agg(l.enumlabel::text ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid) AS labels,
       n.nspname = ANY(%s) AND (c.oid IS NULL OR c.relkind = 'c') AND e.oid IS NULL AND t.typtype <> 'm'
           AND {_own("pg_type", "t.oid")} AS wanted
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_class c ON c.oid = t.typrelid
"""

DOMAIN_CONSTRAINTS = """
SELECT k.contypid AS type, k.contype AS kind, k.conname AS name, pg_get_expr(k.conbin, 0) AS expression,
       k.convalidated AS validated, obj_description(k.oid, 'pg_constraint') AS comment
FROM pg_constraint k WHERE k.contypid <> 0 AND k.contype IN ('c', 'n') ORDER BY k.contypid, k.conname
"""

COMPOSITES = """
SELECT c.reltype AS type, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS declaration,
       CASE WHEN a.attcollation <> t.typcollation THEN l.collname END AS collation, ln.nspname AS collation_schema,
       col_description(c.oid, a.attnum) AS comment
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.oid, a.attnum
"""

RANGES = """
SELECT r.rngtypid AS type, format_type(r.rngsubtype, NULL) AS subtype, o.opcname AS opclass, o.opcdefault AS is_default,
       qo.nspname AS opclass_schema, NULLIF(r.rngcanonical, 0::oid)::oid AS canonical,
       CASE WHEN r.rngsubdiff <> 0::oid THEN r.rngsubdiff::text END AS difference,
       format_type(NULLIF({MULTIRANGE}::oid, 0::oid), NULL) AS multirange,
       CASE WHEN r.rngcollation <> t.typcollation THEN l.collname END AS collation, ln.nspname AS collation_schema
FROM pg_range r JOIN pg_type t ON t.oid = r.rngsubtype LEFT JOIN pg_collation l ON l.oid = r.rngcollation
LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
JOIN pg_opclass o ON o.oid = r.rngsubopc JOIN pg_namespace qo ON qo.oid = o.opcnamespace
"""

OF_NUMBERS = """(WITH RECURSIVE base (oid) AS (SELECT a.atttypid
    UNION ALL SELECT y.typbasetype FROM base JOIN pg_catalog.pg_type y USING (oid) WHERE y.typtype = 'd')
    SELECT pg_catalog.bool_or(oid IN (20, 21, 23, 1700)) FROM base)"""
"""Whether a column ``a`` has whole numbers or numeric, or a domain of these: others make another thing of a sequence's."""

SEQUENCES = f"""
SELECT c.oid, n.nspname AS schema, c.relname AS name, s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS minimum,
       s.seqmax AS maximum, s.seqcycle AS cycle, s.seqcache AS cache, format_type(s.seqtypid, NULL) AS type,
       obj_description(c.oid, 'pg_class') AS comment, d.deptype, d.refobjid AS owner, d.refobjsubid AS owner_column,
       o.relname AS owner_table, a.attname AS owner_name, n.nspname = o_n.nspname AS owner_beside,
       has_sequence_privilege(c.oid, 'SELECT') AS readable, c.relpersistence AS persistence,
       o.relpersistence AS owner_persistence, o_n.nspname AS owner_schema,
       has_schema_privilege(o_n.oid, 'USAGE') AND has_column_privilege(d.refobjid, d.refobjsubid::int2, 'SELECT')
           AND NOT row_security_active(d.refobjid)
           AND {OF_NUMBERS}
           AND NOT EXISTS (SELECT FROM pg_locks k WHERE k.relation = d.refobjid AND k.mode = 'AccessExclusiveLock'
               AND k.database = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
           AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = d.refobjid AND i.indkey[0] = d.refobjsubid
               AND i.indisvalid AND i.indpred IS NULL) AS largest_known
FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
LEFT JOIN pg_class o ON o.oid = d.refobjid LEFT JOIN pg_namespace o_n ON o_n.oid = o.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE n.nspname = ANY(%s) AND c.relpersistence <> 't' AND {_own("pg_class", "c.oid")}
"""


def sequence_values(column: str) -> str:
    """The condition that a value of a quoted column can be a sequence's: NaN and infinities cannot."""
    return f"{column} BETWEEN {-(2**63 - 1)} AND {2**63 - 1}"


RELATIONS = f"""
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence,
       c.reloptions AS options, c.relispartition AS is_partition, c.relrowsecurity AS row_security,
       c.relforcerowsecurity AS force_row_security, c.relreplident AS replica_identity, c.reltuples AS rows,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_total_relation_size(c.oid) END AS bytes,
       c.relispopulated AS populated, obj_description(c.oid, 'pg_class') AS comment,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
       pg_get_expr(c.relpartbound, c.oid) AS bounds,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition,
       (SELECT array_agg(h.inhparent ORDER BY h.inhseqno) FROM pg_inherits h WHERE h.inhrelid = c.oid) AS parents,
       (SELECT array_agg(ARRAY[pn.nspname::text, pc.relname::text] ORDER BY h.inhseqno) FROM pg_inherits h
           JOIN pg_class pc ON pc.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = pc.relnamespace
           WHERE h.inhrelid = c.oid) AS parent_names,
       (SELECT array_agg(ARRAY[en.nspname::text, ec.relname::text] ORDER BY ec.oid) FROM pg_inherits h
           JOIN pg_class ec ON ec.oid = h.inhrelid JOIN pg_namespace en ON en.oid = ec.relnamespace
           WHERE h.inhparent = c.oid AND ec.relispartition AND en.nspname <> ALL(%s)) AS partitions_elsewhere,
       (SELECT x.reloptions FROM pg_class x WHERE x.oid = c.reltoastrelid) AS toast_options,
       s.spcname AS tablespace, m.amname AS method, format_type(NULLIF(c.reloftype, 0::oid), NULL) AS of_type,
       {_own("pg_class", "c.oid")} AS own
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_am m ON m.oid = c.relam
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' ORDER BY c.oid
"""

COLUMNS = f"""
SELECT a.attrelid AS relation, a.attnum AS number, a.attname AS name, a.atttypid AS type, a.atttypmod AS modifier,
       format_type(a.atttypid, a.atttypmod) AS declaration, a.attnotnull AS not_null, a.attidentity AS identity,
       a.attgenerated AS generated, pg_get_expr(d.adbin, d.adrelid) AS default_, a.attislocal AS local,
       a.attgenerated = '' AND {_constant("d.adbin")} AS constant,
       col_description(a.attrelid, a.attnum) AS comment,
       CASE WHEN a.attcollation <> t.typcollation THEN l.collname END AS collation, ln.nspname AS collation_schema,
       l.collisdeterministic AS exact,
       COALESCE(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale', l.collcollate) AS locale,
       a.attstorage <> t.typstorage OR {{COMPRESSION}} <> '' OR a.attoptions IS NOT NULL
           OR COALESCE(a.attstattarget, -1) <> -1 AS stored_otherwise,
       concat_ws(' ', a.attstorage, {{COMPRESSION}}, a.attoptions, a.attstattarget) AS stored,
       'oid'::regtype IN (t.oid, t.typbasetype) AND EXISTS (SELECT FROM pg_largeobject_metadata) AS points
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't'
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_NAMES_OF = """(SELECT array_agg(a.attname::text ORDER BY u.position) FROM unnest({keys}) WITH ORDINALITY u(number, position)
    JOIN pg_attribute a ON a.attrelid = {relation} AND a.attnum = u.number)"""

CONSTRAINTS = f"""
SELECT k.oid, k.conparentid AS parent, k.conrelid AS relation, k.conname AS name, k.contype AS kind,
       pg_get_expr(k.conbin, k.conrelid) AS expression,
       pg_get_constraintdef(k.oid) AS definition, k.condeferrable AS deferrable, k.condeferred AS deferred,
       k.convalidated AS validated, k.conislocal AS local, k.connoinherit AS no_inherit, k.conparentid <> 0 AS of_parent,
       {{ENFORCED}} AS enforced, {{PERIOD}} AS period,
       {_NAMES_OF.format(keys="k.conkey", relation="k.conrelid")} AS columns,
       {_NAMES_OF.format(keys="k.confkey", relation="k.confrelid")} AS referred_columns,
       {_NAMES_OF.format(keys="{SET_COLUMNS}", relation="k.conrelid")} AS set_columns,
       fn.nspname AS referred_schema, f.relname AS referred, k.confupdtype AS on_update, k.confdeltype AS on_delete,
       k.confmatchtype AS match, COALESCE({{NULLS_NOT_DISTINCT}}, false) AS nulls_not_distinct,
       k.contype <> 'x' AND i.indnatts > i.indnkeyatts AS includes,
       CASE WHEN k.contype <> 'x' THEN x.reloptions END AS options,
       xs.spcname AS tablespace, i.indisclustered AS clustered, obj_description(k.oid, 'pg_constraint') AS comment,
       obj_description(i.indexrelid, 'pg_class') AS index_comment
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_tablespace xs ON xs.oid = x.reltablespace
WHERE n.nspname = ANY(%s) ORDER BY k.conrelid, k.contype, k.conname
"""

INDEXES = """
SELECT i.indrelid AS relation, i.indexrelid AS oid, x.relname AS name, m.amname AS method, i.indisunique AS unique_,
       {NULLS_NOT_DISTINCT} AS nulls_not_distinct, pg_get_expr(i.indpred, i.indrelid) AS where_,
       obj_description(i.indexrelid, 'pg_class') AS comment, x.relispartition AS attached, i.indisvalid AS valid,
       (SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = i.indexrelid) AS parent,
       x.reloptions AS options, s.spcname AS tablespace, i.indisclustered AS clustered,
       COALESCE(ia.attstattarget, -1) <> -1 AS counted_otherwise,
       p.position <= i.indnkeyatts AS is_key, i.indkey[p.position - 1] = 0 AS is_expression, a.attname AS column,
       ia.attname AS called,
       pg_get_indexdef(i.indexrelid, p.position, false) AS expression,
       COALESCE(i.indoption[p.position - 1], 0) & 1 = 1 AS descending,
       COALESCE(i.indoption[p.position - 1], 0) & 2 = 2 AS first,
       CASE WHEN NOT o.opcdefault THEN o.opcname END AS opclass, opn.nspname AS opclass_schema,
       CASE WHEN l.oid <> COALESCE(a.attcollation, 100) THEN l.collname END AS collation, ln.nspname AS collation_schema,
       ia.attoptions IS NOT NULL AS opclass_options
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = x.relam
CROSS JOIN LATERAL generate_series(1, i.indnatts) p(position)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[p.position - 1] AND a.attnum > 0
LEFT JOIN pg_tablespace s ON s.oid = x.reltablespace
LEFT JOIN pg_attribute ia ON ia.attrelid = i.indexrelid AND ia.attnum = p.position
LEFT JOIN pg_opclass o ON o.oid = i.indclass[p.position - 1] LEFT JOIN pg_namespace opn ON opn.oid = o.opcnamespace
LEFT JOIN pg_collation l ON l.oid = i.indcollation[p.position - 1] LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, x.relname, p.position
"""

ROUTINES = f"""
SELECT p.oid, n.nspname AS schema, p.proname AS name, p.prokind AS kind, obj_description(p.oid, 'pg_proc') AS comment,
       pg_get_function_identity_arguments(p.oid) AS arguments,
       CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ANY(%s) AND {_own("pg_proc", "p.oid")}
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
ORDER BY p.oid
"""

AGGREGATES = """
SELECT g.aggfnoid::oid AS oid, g.aggkind AS kind, g.aggtransfn::text AS transition,
       format_type(g.aggtranstype, NULL) AS state, g.aggtransspace AS space, g.agginitval AS initial,
       NULLIF(g.aggfinalfn::text, '-') AS final, g.aggfinalextra AS final_extra, g.aggfinalmodify AS final_modify,
       NULLIF(g.aggcombinefn::text, '-') AS combine,
       NULLIF(g.aggserialfn::text, '-') AS serial, NULLIF(g.aggdeserialfn::text, '-') AS deserial,
       NULLIF(g.aggmtransfn::text, '-') AS moving_transition, NULLIF(g.aggminvtransfn::text, '-') AS moving_inverse,
       format_type(NULLIF(g.aggmtranstype, 0::oid), NULL) AS moving_state, g.aggmtransspace AS moving_space,
       g.aggminitval AS moving_initial, NULLIF(g.aggmfinalfn::text, '-') AS moving_final, g.aggmfinalextra AS moving_extra,
       g.aggmfinalmodify AS moving_modify, o.oprname AS sort, so.nspname AS sort_schema, p.proparallel AS parallel,
       pg_get_function_arguments(p.oid) AS arguments
FROM pg_aggregate g JOIN pg_proc p ON p.oid = g.aggfnoid JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_operator o ON o.oid = g.aggsortop LEFT JOIN pg_namespace so ON so.oid = o.oprnamespace
WHERE n.nspname = ANY(%s)
"""

TRIGGERS = """
SELECT g.oid, c.oid AS relation, n.nspname AS schema, g.tgname AS name, pg_get_triggerdef(g.oid) AS definition,
       g.tgenabled AS enabled, obj_description(g.oid, 'pg_trigger') AS comment
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND NOT g.tgisinternal AND {TRIGGER_PARENT} = 0::oid AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = g.oid
    AND d.refclassid = 'pg_trigger'::regclass)
ORDER BY g.oid
"""

TRIGGERS_OF_PARTITIONS = """
SELECT g.oid, d.refobjid AS trigger, g.tgrelid AS relation, g.tgname AS name, g.tgenabled AS enabled
FROM pg_depend d JOIN pg_trigger g ON g.oid = d.objid JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND d.classid = 'pg_trigger'::regclass AND d.refclassid = 'pg_trigger'::regclass
ORDER BY g.oid
"""
"""The triggers that partitions have of their tables' triggers, each with the one that it is of."""

CONSTRAINT_TRIGGERS = """
SELECT DISTINCT c.oid AS relation, k.conname AS name
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_constraint k ON k.oid = g.tgconstraint
WHERE n.nspname = ANY(%s) AND g.tgisinternal AND k.contype <> 't' AND g.tgenabled <> 'O' ORDER BY 1, 2
"""
"""Constraints that are checked by triggers which do not fire as usual."""

RULES = """
SELECT r.ev_class AS relation, n.nspname AS schema, r.rulename AS name, pg_get_ruledef(r.oid) AS definition,
       r.ev_enabled AS enabled, obj_description(r.oid, 'pg_rewrite') AS comment
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND r.rulename <> '_RETURN' ORDER BY r.oid
"""

POLICIES = """
SELECT p.polrelid AS relation, n.nspname AS schema, p.polname AS name, p.polcmd AS command, p.polpermissive AS permissive,
       ARRAY(SELECT rolname::text FROM pg_roles WHERE oid = ANY(p.polroles) ORDER BY 1) AS roles,
       pg_get_expr(p.polqual, p.polrelid) AS using_, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
       obj_description(p.oid, 'pg_policy') AS comment
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) ORDER BY p.oid
"""

DEPENDENCIES = """
WITH owner(classid, objid, of_class, of_object) AS (
    SELECT 'pg_rewrite'::regclass, oid, 'pg_class'::regclass, ev_class FROM pg_rewrite
    UNION ALL SELECT 'pg_attrdef'::regclass, oid, 'pg_class'::regclass, adrelid FROM pg_attrdef
    UNION ALL SELECT 'pg_constraint'::regclass, oid, 'pg_type'::regclass, contypid FROM pg_constraint WHERE contypid <> 0
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid, 'pg_class'::regclass, c.oid
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid AND c.relispartition WHERE k.contype <> 'f'
    UNION ALL SELECT 'pg_type'::regclass, {MULTIRANGE}::oid, 'pg_type'::regclass, r.rngtypid FROM pg_range r
    UNION ALL SELECT 'pg_type'::regclass, t.oid, 'pg_class'::regclass, c.oid
        FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind <> 'c'
    UNION ALL SELECT 'pg_type'::regclass, t.oid,
        CASE WHEN c.relkind <> 'c' THEN 'pg_class'::regclass ELSE 'pg_type'::regclass END,
        CASE WHEN c.relkind <> 'c' THEN c.oid ELSE e.oid END
        FROM pg_type t JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid LEFT JOIN pg_class c ON c.oid = e.typrelid
    UNION ALL SELECT 'pg_class'::regclass, c.oid, 'pg_type'::regclass, c.reltype FROM pg_class c WHERE c.relkind = 'c'
)
SELECT DISTINCT COALESCE(a.of_object, d.objid) AS object, COALESCE(b.of_object, d.refobjid) AS needs
FROM pg_depend d LEFT JOIN owner a ON a.classid = d.classid AND a.objid = d.objid
LEFT JOIN owner b ON b.classid = d.refclassid AND b.objid = d.refobjid
WHERE d.deptype IN ('n', 'a', 'i') AND d.objid >= 16384 AND d.refobjid >= 16384
  AND (d.classid <> 'pg_constraint'::regclass OR a.objid IS NOT NULL)
"""
"""What needs what to be made. Constraints are added to tables that are loaded; those of domains and partitions are part of
their CREATE statements."""

EXTENSIONS = """
SELECT x.extname AS name, x.extversion AS version, count(d.objid) AS objects,
       array_agg(c.oid::regclass::text ORDER BY c.relname)
           FILTER (WHERE c.relkind = 'r' AND pg_relation_size(c.oid) > 0) AS tables
FROM pg_extension x
LEFT JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e'
LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
WHERE x.extname <> 'plpgsql' GROUP BY 1, 2 ORDER BY 1
"""

NOT_NULLS = """
SELECT k.conrelid AS relation, a.attname AS column, k.conname AS name, k.convalidated AS validated,
       k.connoinherit AS no_inherit,
       k.conname = c.relname || '_' || a.attname || '_not_null' AS usual
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE n.nspname = ANY(%s) AND k.contype = 'n' ORDER BY k.conrelid, a.attnum
"""
"""From version 18 on, where NOT NULL is a constraint with a name."""
