"""What the intake refused: counted, the last ones shown, and how large a share it is (docs/decisions/0037)."""
