"""The ledger: append-only, numbered without a gap, hash-chained, never changed."""
