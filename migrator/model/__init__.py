"""The neutral model: types, objects, catalogs and their JSON form. No database's words, no I/O."""
