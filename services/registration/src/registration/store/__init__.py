"""Where the registration office keeps what it needs to decide, to list and to know whom it is about."""
