"""Backups: an encrypted file that holds what matters, for any database and any keys (docs/decisions/0013-backup.md)."""
