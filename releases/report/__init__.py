"""What a release did, as data, a picture and a page."""
