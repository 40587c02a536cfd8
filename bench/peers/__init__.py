"""What the portal is measured beside: small programs as their libraries' documentation shows them.

None of them signs anybody in, checks a permission, limits a document or keeps a record. All read the portal's tables;
what they would rather have as columns stands in ``graphql.sql``.
"""
