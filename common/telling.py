"""What a service tells the person who has started it: text for eyes, elsewhere a line of the log."""

from __future__ import annotations

import logging
import sys


def tell(logger: logging.Logger, sentence: str, *values: object) -> None:
    """Print the sentence where standard output is a terminal; log it where a file or another process reads."""
    if sys.stdout.isatty():
        sys.stdout.write(f"{sentence % values}\n")
        sys.stdout.flush()
    else:
        logger.info(sentence, *values)
