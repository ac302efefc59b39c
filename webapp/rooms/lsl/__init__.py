"""Lab Streaming Layer: participants and markers as streams, and streams of markers that rooms record."""
