"""Events that wait, as lists show them: for their pixel, or for destinations of gateway pipelines."""
