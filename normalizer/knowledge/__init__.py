"""What ships with the reader: the gazetteer, word lists, rules for personal data."""
