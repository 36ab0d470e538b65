-- One of everything that PostgreSQL's catalog holds and the model carries.
CREATE SCHEMA "Odd ""Schema""";
COMMENT ON SCHEMA "Odd ""Schema""" IS 'it''s odd';
CREATE TYPE public.mood AS ENUM ('sad', 'o''k', 'very "happy"', '');
COMMENT ON TYPE public.mood IS 'moods';
CREATE TYPE public.addr AS (street text, "No" integer, m public.mood);
CREATE TYPE public.floatrange AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN public.posint AS integer DEFAULT 1 NOT NULL CONSTRAINT pos CHECK (VALUE > 0);
CREATE DOMAIN public.posint2 AS public.posint CONSTRAINT small CHECK (VALUE < 100);
CREATE DOMAIN public.email AS varchar(80) CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE SEQUENCE public.desc_seq AS smallint INCREMENT BY -2 START WITH 10 MINVALUE -100 MAXVALUE 10 CACHE 5 CYCLE;
CREATE SEQUENCE public.never;
CREATE SEQUENCE public.moved_on;
SELECT setval('public.moved_on', 42);
SELECT nextval('public.desc_seq');
CREATE FUNCTION public.twice(i integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
COMMENT ON FUNCTION public.twice(integer) IS 'doubles';
CREATE FUNCTION public.twice(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE TABLE public.parent (id integer GENERATED ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY 3), code varchar(10) NOT NULL COLLATE "C", a smallint, b bigint,
  g integer GENERATED ALWAYS AS (a * 2) STORED, t2 integer DEFAULT public.twice(4), u uuid DEFAULT gen_random_uuid(), m public.mood DEFAULT 'o''k', m2 public.mood[] DEFAULT '{sad}',
  ad public.addr, fr public.floatrange, p public.posint2, e public.email, ts timestamp(3) without time zone DEFAULT CURRENT_TIMESTAMP(3), ts6 timestamp(6) with time zone DEFAULT now(), tt time with time zone, d date DEFAULT CURRENT_DATE,
  iv interval DEFAULT '1 day'::interval, iv2 interval year to month, iv3 interval(2), iv4 interval day to second(3), vc character varying DEFAULT 'x'::character varying, bp bpchar, c5 char(5) DEFAULT 'ab', ch "char", n name, bit3 bit(3) DEFAULT B'101', vb bit varying(9), vbu bit varying,
  num numeric, num2 numeric(10,2) DEFAULT -1.5, numneg numeric(3,-2), f4 real DEFAULT 0.1, f8 double precision DEFAULT 'NaN', by bytea DEFAULT '\xdead', j json, jb jsonb DEFAULT '{"a": "b''c"}', x xml, ip inet, ci cidr, mac macaddr, pt point, tsv tsvector, tsq tsquery, mo money, o oid, rc regclass, r int4range, mr int4multirange, bl boolean DEFAULT false,
  arr integer[][] DEFAULT ARRAY[1,2], neg integer DEFAULT -1, bs text DEFAULT 'back\slash', big bigint DEFAULT 9223372036854775807, cstr text DEFAULT 'a'||'b',
  CONSTRAINT parent_pk PRIMARY KEY (id), CONSTRAINT code_u UNIQUE (code) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT ab_u UNIQUE NULLS NOT DISTINCT (a, b), CONSTRAINT chk CHECK (a > 0 AND code <> 'x'), UNIQUE (id, code));
COMMENT ON TABLE public.parent IS 'a ''quoted'' comment with \ and % and :x';
COMMENT ON COLUMN public.parent.code IS 'c';
CREATE TABLE public.child (id bigserial PRIMARY KEY, pid integer, pa smallint, pb bigint, code varchar(10), self bigint REFERENCES public.child,
  CONSTRAINT fk_full FOREIGN KEY (pid, code) REFERENCES public.parent (id, code) MATCH FULL ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT fk_set FOREIGN KEY (pid, code) REFERENCES public.parent (id, code) ON DELETE SET NULL (code));
ALTER TABLE public.child ADD CONSTRAINT nv CHECK (pid < 1000) NOT VALID;
ALTER TABLE public.child ADD CONSTRAINT fk_nv FOREIGN KEY (pid) REFERENCES public.parent (id) NOT VALID;
CREATE INDEX i1 ON public.parent (lower(code) DESC NULLS LAST, (a + b), c5 COLLATE "C" bpchar_pattern_ops) INCLUDE (d, bl) WHERE a > 3;
CREATE INDEX i2 ON public.parent USING gin (jb jsonb_path_ops);
CREATE UNIQUE INDEX i3 ON public.parent (a NULLS FIRST, b DESC NULLS LAST);
CREATE UNIQUE INDEX i3b ON public.parent (big, a) NULLS NOT DISTINCT;
CREATE INDEX i4 ON public.parent USING hash (code);
CREATE INDEX "I 5" ON public.parent USING brin (ts);
COMMENT ON INDEX public."I 5" IS 'brin';
CREATE INDEX i6 ON public.parent USING gist (pt);
CREATE TABLE public.empty_table ();
CREATE TABLE "Odd ""Schema"""."my table" ("percent%(ens)yah" integer, "q?marks" text, "dot.s" text, "[Brackets]" text, "42numbers" text, "more :: %colons%" text, "select" text, "quote ' one" text, "quote "" two" text, "ümläut" text);
CREATE TABLE "Odd ""Schema"""."new
line" (id serial, "%s" text);
CREATE UNLOGGED TABLE public.fast (a integer) WITH (fillfactor='70');
CREATE UNLOGGED TABLE public.faster (a integer GENERATED ALWAYS AS IDENTITY, b text) WITH (toast.autovacuum_enabled='false');
CREATE TABLE public.part (k integer NOT NULL, d date NOT NULL, v text DEFAULT 'p', CONSTRAINT part_pk PRIMARY KEY (k, d), CHECK (k > 0)) PARTITION BY RANGE (d);
CREATE TABLE public.part_a PARTITION OF public.part (v DEFAULT 'leaf', CONSTRAINT leaf_check CHECK (length(v) < 100)) FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE public.part_b PARTITION OF public.part FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY LIST (k);
CREATE TABLE "Odd ""Schema""".part_b1 PARTITION OF public.part_b FOR VALUES IN (1, 2);
CREATE TABLE public.part_b2 PARTITION OF public.part_b DEFAULT;
CREATE TABLE public.part_def PARTITION OF public.part DEFAULT;
CREATE INDEX part_v ON public.part (v);
CREATE INDEX leaf_only ON public.part_a (d);
CREATE INDEX leaf_only_b1 ON "Odd ""Schema""".part_b1 (v);
ALTER TABLE public.part_a ADD CONSTRAINT leaf_fk FOREIGN KEY (k) REFERENCES public.parent;
CREATE TABLE public.hashp (k integer) PARTITION BY HASH (k);
CREATE TABLE public.hashp0 PARTITION OF public.hashp FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE public.hashp1 PARTITION OF public.hashp FOR VALUES WITH (modulus 2, remainder 1);
CREATE TABLE public.base (id integer, v text);
CREATE TABLE public.derived (extra text) INHERITS (public.base);
CREATE VIEW public.v1 WITH (security_barrier='true') AS SELECT id, code FROM public.parent WHERE a > 1 WITH LOCAL CHECK OPTION;
CREATE VIEW public.a_on_v1 AS SELECT * FROM public.v1;
COMMENT ON VIEW public.a_on_v1 IS 'view';
CREATE MATERIALIZED VIEW public.mv AS SELECT code, count(*) AS n FROM public.parent GROUP BY code;
CREATE UNIQUE INDEX mv_code ON public.mv (code);
COMMENT ON MATERIALIZED VIEW public.mv IS 'mat';
CREATE VIEW public.over_mv AS SELECT * FROM public.mv;
CREATE FUNCTION public.takes_row(p public.parent) RETURNS integer LANGUAGE sql AS 'SELECT p.a::int';
CREATE FUNCTION public.takes_view(p public.v1) RETURNS text LANGUAGE sql AS 'SELECT p.code';
CREATE FUNCTION public.atomic_fn() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM public.child; END;
CREATE VIEW public.uses_fn AS SELECT public.atomic_fn() AS n;
CREATE PROCEDURE public.proc(INOUT i integer) LANGUAGE plpgsql AS $$ BEGIN i := i + 1; END $$;
CREATE FUNCTION public.trg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER t1 BEFORE INSERT ON public.child FOR EACH ROW WHEN (new.pid > 5) EXECUTE FUNCTION public.trg();
CREATE TRIGGER t2 AFTER UPDATE OF pid ON public.child FOR EACH ROW EXECUTE FUNCTION public.trg();
ALTER TABLE public.child DISABLE TRIGGER t2;
COMMENT ON TRIGGER t1 ON public.child IS 'trigger';
CREATE CONSTRAINT TRIGGER t3 AFTER INSERT ON public.child DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.trg();
CREATE TRIGGER tp AFTER INSERT ON public.part FOR EACH ROW EXECUTE FUNCTION public.trg();
CREATE TRIGGER tleaf AFTER INSERT ON public.part_a FOR EACH ROW EXECUTE FUNCTION public.trg();
CREATE RULE r1 AS ON INSERT TO public.base WHERE (new.id < 0) DO INSTEAD NOTHING;
ALTER TABLE public.base ENABLE ROW LEVEL SECURITY;
CREATE POLICY pol ON public.base AS RESTRICTIVE FOR SELECT TO postgres USING (id > 0);
COMMENT ON POLICY pol ON public.base IS 'policy';
CREATE POLICY pol2 ON public.base FOR INSERT WITH CHECK (id > 1);
CREATE AGGREGATE public.mysum(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', COMBINEFUNC = int4pl, PARALLEL = SAFE);
CREATE AGGREGATE public.first_ord(double precision ORDER BY anyelement) (SFUNC = pg_catalog.ordered_set_transition, STYPE = internal, FINALFUNC = pg_catalog.percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE public.cnt(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
INSERT INTO public.parent (code, a, b, p, e, ad, fr, iv2, iv4, ch, n, vb, num, numneg, x, ip, ci, mac, pt, tsv, tsq, mo, o, rc, r, mr, m2, arr, j, tt) SELECT 'c'||i, i::smallint, i*10, 5, 'a@b', ROW('s', i, 'sad'::public.mood)::public.addr, '[1.5,2.5)', '1-2', '1 02:03:04.5678', 'c', 'nm', B'1011', 1.5, 12345, NULL, '10.0.0.1', '10.0.0.0/8', '08:00:2b:01:02:03', '(1,2)', 'a b', 'a & b', 12.34, 42, 'public.child', '[1,5)', '{[1,2),[5,9)}', '{sad,NULL,"very \"happy\""}', '{{1,NULL},{3,4}}', '{"a":   1, "a": 2}', '12:00:00.5+05:30' FROM generate_series(1,3) i;
INSERT INTO public.child (pid, code) SELECT id, code FROM public.parent;
INSERT INTO public.part VALUES (5,'2020-05-05','a'),(1,'2021-05-05','b'),(9,'2021-05-05','c'),(3,'1999-01-01',NULL);
INSERT INTO public.hashp SELECT generate_series(1,10);
INSERT INTO public.base VALUES (1,'base'); INSERT INTO public.derived VALUES (2,'derived','x');
INSERT INTO public.empty_table DEFAULT VALUES; INSERT INTO public.empty_table DEFAULT VALUES;
INSERT INTO "Odd ""Schema"""."my table" VALUES (1, E'tab\tnl\ncr\rbs\\', '', NULL, '\N', '\.', '%s', ':x', '?', 'ü');
INSERT INTO "Odd ""Schema"""."new
line" ("%s") VALUES ('x');
REFRESH MATERIALIZED VIEW public.mv;
