"""migrator: Data Pump for every database that SQLAlchemy speaks."""
