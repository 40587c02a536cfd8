"""The hub API's types and operations (contract: hub.graphql)."""
