"""How the schema came to be what schemas/tables.py says: one file a step, applied in order, never edited again."""
