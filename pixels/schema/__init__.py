"""The capig API's types and operations for pixels and their figures (contract: capig.graphql)."""
