"""Real SQLite files to a new file: what is carried is equal cell by cell, what is not is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from migrator.model import types as t
from migrator.model.objects import Index, Table, View
from tests.support.sqlite import Carried, carry, catalog, cells, table_of

Files = tuple[str, str]


@pytest.fixture
def files(request: pytest.FixtureRequest, sample: Callable[[str], str], sqlite_file: Callable[..., str]) -> Files:
    return sample(request.param), sqlite_file("carried.db")


def assert_carried(files: Files, carried: Carried) -> None:
    source, target = files
    for table in carried.catalog.of(Table):
        if table.name not in carried.refused:
            assert cells(target, table.name) == cells(source, table.name), table.name
    if not carried.refused:
        assert catalog(target).objects == carried.catalog.objects


@pytest.mark.parametrize(
    "files", ["chinook.sqlite", "northwind.sqlite", "oddities-collision.sqlite", "oddities-test_pk.sqlite"], indirect=True
)
def test_nothing_is_lost_of_an_ordinary_file(files: Files) -> None:
    carried = carry(*files)
    assert carried.catalog.losses == ()
    assert carried.refused == {}
    assert_carried(files, carried)


@pytest.mark.parametrize("files", ["datasette-fixtures.sqlite"], indirect=True)
def test_hostile_names_and_infinities_are_carried_and_virtual_tables_named(files: Files) -> None:
    carried = carry(*files)
    assert carried.losses == {("virtual-table", None)}
    assert carried.refused == {}
    names = {table.name for table in carried.catalog.of(Table)}
    assert {"table/with/slashes.csv", "Table With Space In Name", "select", "123_starts_with_digits"} <= names
    assert not {name for name in names if name.startswith("searchable_fts")}
    assert_carried(files, carried)


@pytest.mark.parametrize("files", ["oddities-sqlite.sqlite"], indirect=True)
def test_odd_declarations_are_carried_by_what_their_values_are(files: Files) -> None:
    carried = carry(*files)
    assert carried.losses == {
        ("dates-as-text", "StartTime"),
        ("integers", "EndTime"),
        ("dates", "my_value"),
        ("null-in-key", None),
        ("default", "is_public"),
        ("mixed-storage", "id"),
    }
    assert set(carried.refused) == {"intege"}
    assert_carried(files, carried)


@pytest.mark.parametrize("files", ["oddities-storage.sqlite"], indirect=True)
def test_text_in_a_blob_column_is_carried_as_text(files: Files) -> None:
    carried = carry(*files)
    assert carried.losses == {("texts", "file_data")}
    assert table_of(files[0], "files").column("file_data").type == t.String()
    assert_carried(files, carried)


@pytest.mark.parametrize("files", ["oddities-type-mismatch.sqlite"], indirect=True)
def test_text_among_integers_is_refused_by_its_row(files: Files) -> None:
    carried = carry(*files)
    assert carried.losses == {("mixed-storage", "qty")}
    assert carried.refused == {
        "products": "column products.qty: the row with rowid 2 holds the text 'lots-of-it', the column is bigint"
    }
    assert cells(files[1], "products") == []


@pytest.mark.parametrize("files", ["oddities-bad-utf8.sqlite"], indirect=True)
def test_bytes_among_texts_are_refused_by_their_row(files: Files) -> None:
    carried = carry(*files)
    assert set(carried.refused) == {"files"}
    assert "column files.filename: the row with rowid 2 holds the blob X'66696C65" in carried.refused["files"]


# --- what the catalog says ------------------------------------------------------------------------------------------


def test_chinook_keeps_its_types_keys_and_indexes(sample: Callable[[str], str]) -> None:
    track = table_of(sample("chinook.sqlite"), "Track")
    assert [(c.name, c.type, c.nullable) for c in track.columns] == [
        ("TrackId", t.Integer(64), False),
        ("Name", t.String(200), False),
        ("AlbumId", t.Integer(64), True),
        ("MediaTypeId", t.Integer(64), False),
        ("GenreId", t.Integer(64), True),
        ("Composer", t.String(220), True),
        ("Milliseconds", t.Integer(64), False),
        ("Bytes", t.Integer(64), True),
        ("UnitPrice", t.Decimal(10, 2), False),
    ]
    assert track.primary_key is not None
    assert (track.primary_key.name, track.primary_key.columns) == ("PK_Track", ("TrackId",))
    identity = track.columns[0].identity
    assert identity is not None
    assert identity.next_value == 3504
    assert [(key.columns, key.referred.name) for key in track.foreign_keys] == [
        (("AlbumId",), "Album"),
        (("GenreId",), "Genre"),
        (("MediaTypeId",), "MediaType"),
    ]
    assert [index.name for index in track.indexes] == ["IFK_TrackAlbumId", "IFK_TrackGenreId", "IFK_TrackMediaTypeId"]
    assert all(isinstance(index, Index) for index in track.indexes)
    assert track.rows == 3503


def test_chinooks_dates_are_timestamps_to_the_second_and_northwinds_to_the_millisecond(sample: Callable[[str], str]) -> None:
    assert table_of(sample("chinook.sqlite"), "Invoice").column("InvoiceDate").type == t.Timestamp(0)
    northwind = sample("northwind.sqlite")
    assert table_of(northwind, "Orders").column("OrderDate").type == t.Timestamp(3)
    assert table_of(northwind, "Employees").column("BirthDate").type == t.Date()


def test_northwinds_views_come_after_those_they_read(sample: Callable[[str], str]) -> None:
    views = list(catalog(sample("northwind.sqlite")).of(View))
    assert len(views) == 16
    order = {view.name: position for position, view in enumerate(views)}
    read = [(view.name, other.name) for view in views for other in view.depends_on if other.name in order]
    assert ("Category Sales for 1997", "Product Sales for 1997") in read
    assert all(order[reader] > order[other] for reader, other in read)


def test_a_numeric_without_precision_is_a_float(sample: Callable[[str], str]) -> None:
    assert table_of(sample("northwind.sqlite"), "Products").column("UnitPrice").type == t.Float()
