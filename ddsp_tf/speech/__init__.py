"""What networks of speech hear and share: log-mel bands, the content encoder, labels of frames."""
