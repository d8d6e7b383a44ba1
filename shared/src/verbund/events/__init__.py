"""Events: what offices have booked, in the one form in which it is stored, hashed, sent and read."""
