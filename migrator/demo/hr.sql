-- A small staff database: a self reference, a cycle of foreign keys, decimals, dates, names from everywhere,
-- NULL beside '', generated columns, a view, and identities that stand further on than their rows.

CREATE TABLE office (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    city VARCHAR(40) NOT NULL,
    country CHAR(2) NOT NULL,
    opened DATE NOT NULL,
    floor_plan BLOB,
    CONSTRAINT office_city_uq UNIQUE (city, country)
);

CREATE TABLE department (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name VARCHAR(60) NOT NULL,
    office_id INTEGER NOT NULL REFERENCES office (id),
    manager_id INTEGER REFERENCES employee (id) ON DELETE SET NULL,
    budget DECIMAL(14, 2) NOT NULL DEFAULT 0 CHECK (budget >= 0)
);

CREATE TABLE employee (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    given_name VARCHAR(50) NOT NULL,
    family_name VARCHAR(50) NOT NULL,
    full_name VARCHAR(101) GENERATED ALWAYS AS (given_name || ' ' || family_name) STORED,
    email VARCHAR(80) NOT NULL CONSTRAINT employee_email_uq UNIQUE,
    hired DATE NOT NULL,
    last_login TIMESTAMP,
    salary DECIMAL(10, 2) NOT NULL,
    bonus_rate DECIMAL(5, 4),
    remote BOOLEAN NOT NULL DEFAULT FALSE,
    remark TEXT,
    boss_id INTEGER REFERENCES employee (id),
    department_id INTEGER REFERENCES department (id),
    CONSTRAINT employee_salary_ck CHECK (salary > 0),
    CONSTRAINT employee_own_boss_ck CHECK (boss_id <> id)
);

CREATE TABLE salary_change (
    employee_id INTEGER NOT NULL REFERENCES employee (id) ON DELETE CASCADE,
    changed_on DATE NOT NULL,
    old_salary DECIMAL(10, 2),
    new_salary DECIMAL(10, 2) NOT NULL,
    reason VARCHAR(100) NOT NULL DEFAULT 'yearly round',
    PRIMARY KEY (employee_id, changed_on)
);

CREATE TABLE "order of the day" (
    "day" DATE NOT NULL PRIMARY KEY,
    "select" VARCHAR(100)
);

CREATE INDEX employee_name_ix ON employee (family_name, given_name);
CREATE INDEX salary_change_latest_ix ON salary_change (employee_id, changed_on DESC);
CREATE UNIQUE INDEX department_name_ux ON department (name, office_id);

CREATE VIEW staff AS
SELECT e.id, e.full_name, d.name AS department, o.city, b.full_name AS boss
FROM employee e
LEFT JOIN employee b ON b.id = e.boss_id
LEFT JOIN department d ON d.id = e.department_id
LEFT JOIN office o ON o.id = d.office_id;

INSERT INTO office (id, city, country, opened, floor_plan) VALUES
    (1, 'Zürich', 'CH', '1998-04-01', X'89504E470D0A1A0A00'),
    (2, 'São Paulo', 'BR', '2004-02-29', X''),
    (5, '東京', 'JP', '2019-12-31', NULL);

INSERT INTO department (id, name, office_id, manager_id, budget) VALUES
    (10, 'Forschung & Entwicklung', 1, 100, 2500000.00),
    (20, 'Vendas', 2, 103, 1200000.5),
    (30, '品質保証', 5, 105, 999999999999.99),
    (40, 'Not staffed yet', 1, NULL, 0);

INSERT INTO employee (id, given_name, family_name, email, hired, last_login, salary, bonus_rate, remote, remark, boss_id,
                      department_id) VALUES
    (100, 'Ada', 'Keller-Müller', 'ada@example.org', '1998-04-01', '2026-03-29 02:30:00', 18500.00, 0.1250, FALSE, NULL, NULL, 10),
    (101, 'Renée', 'D''Arcy', 'renee@example.org', '2001-07-15', '2026-01-31 23:59:59.999999', 9800.10, NULL, TRUE, '', 100, 10),
    (102, 'Łukasz', 'Wiśniewski', 'lukasz@example.org', '2012-02-29', NULL, 9800.09, 0.0001, TRUE, 'back\slash, "quotes", 100%', 100, 10),
    (103, 'João', 'da Conceição', 'joao@example.org', '2004-03-01', '2025-12-31 12:00:00.5', 11250.5, 0.0750, FALSE, 'two
lines	and a tab', 100, 20),
    (104, 'Zoë', 'O''Neill', 'zoe@example.org', '2020-11-30', NULL, 6400, 0, TRUE, ' leading and trailing ', 103, 20),
    (105, '花子', '山田', 'hanako@example.org', '2019-12-31', '2026-06-01 08:15:30.123', 12000.01, 0.1000, FALSE, '😀 e-moji', 100, 30),
    (107, 'Ali', 'بن علي', 'ali@example.org', '2023-01-01', NULL, 0.01, NULL, FALSE, NULL, 105, NULL);

INSERT INTO salary_change (employee_id, changed_on, old_salary, new_salary, reason) VALUES
    (100, '1998-04-01', NULL, 12000, 'hired'),
    (100, '2010-01-01', 12000, 18500.00, 'promotion'),
    (101, '2001-07-15', NULL, 7200.10, 'hired'),
    (101, '2024-01-01', 7200.10, 9800.10, 'yearly round'),
    (105, '2019-12-31', NULL, 12000.01, '');

-- somebody left: the next employee is number 110, not 108
UPDATE sqlite_sequence SET seq = 109 WHERE name = 'employee';
