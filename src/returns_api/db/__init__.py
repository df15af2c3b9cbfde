"""Everything that knows SQL: tables, statements, and the road from rows to facts."""
