"""What the house needs from outside: small protocols and frozen messages, no vendor's words."""
