"""A carrier that speaks EasyPost's wire format, prints labels and counts every one it sold."""
