"""The ways to somebody who is to be told: a file each, with a function that delivers, and a line in ``table.py``."""
