"""The embedded default: a whole municipality on one machine, PostgreSQL included, without root and without Docker."""
