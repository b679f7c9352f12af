"""What is wrong with recordings: measured in each passage, told as advice and as a report."""
