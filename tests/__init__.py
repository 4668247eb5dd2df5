"""The tests, room by room. Packages, so that tests/normalizer is not taken for the room itself."""
