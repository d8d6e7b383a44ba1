"""A synthetic city: residents who never lived, whose bookings add up exactly to the figures printed for Dortmund."""
