"""Django's backend for SQLite, whose files nobody else on the machine can read."""
