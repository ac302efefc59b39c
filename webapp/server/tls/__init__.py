"""The certificate, connections over TLS, and the way there from plain http."""
