"""The hub API's types and operations for alerts, which are ours."""
