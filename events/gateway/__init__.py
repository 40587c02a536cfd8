"""The road of gateway sources' events: each request stored once, and sent to every destination that it reaches."""
