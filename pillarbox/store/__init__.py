"""Part: the database: schema, engines, migrations, and a query module per table."""
