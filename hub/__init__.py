"""The plan of the house: settings, wiring, the web door, the command line. It knows every room; no room knows it."""
