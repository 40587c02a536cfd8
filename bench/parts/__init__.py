"""The parts of ``make bench``. Each has a function ``measure``, which takes an effort and gives its results."""
