"""What comes in and goes out over HTTP, checked at the border."""
