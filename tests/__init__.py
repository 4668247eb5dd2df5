"""Tests, room by room. What lies outside (Meta, the SMS centre) is a fake on a real socket; all else is real."""
