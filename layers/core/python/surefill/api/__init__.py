"""Shapes of the HTTP API: what a request must look like, and how a refusal is answered."""
