"""Feeds: how one office reads the ledgers of others, exactly once in its books, whatever repeats on the wire."""
