"""A carrier that speaks EasyPost's, Shippo's and DHL Parcel DE Returns' wire formats, prints labels
and counts every one it sold."""
