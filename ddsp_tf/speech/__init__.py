"""What speech holds beside pitch and loudness: log-mel bands, and the network that hears phones in them."""
