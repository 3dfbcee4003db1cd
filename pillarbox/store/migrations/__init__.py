"""Alembic's folder: how a database made by an older Pillarbox becomes what ``store/schema/`` says."""
