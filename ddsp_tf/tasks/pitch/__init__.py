"""The pitch of speech, frame by frame: what a voice is given its melody by."""
