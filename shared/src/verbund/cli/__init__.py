"""The command line `verbund`."""
