"""What reporting is asked to book."""
