"""The capig API's types and operations for events (contract: capig.graphql; deliveries and dead letters are ours)."""
