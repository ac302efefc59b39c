"""How faces are found that the detector alone would miss, and which of those found count."""
