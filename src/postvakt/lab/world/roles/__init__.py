"""Roles of the outside world, of the same shape as the estate's."""
