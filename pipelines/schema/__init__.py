"""What the capig API does with pipelines, their sources and destinations (contract: signals.graphql)."""
