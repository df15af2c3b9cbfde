"""A bank that speaks Stripe's wire format, refuses nothing by default and counts every movement."""
