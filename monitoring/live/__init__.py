"""From what was committed to the pages that watch it: the feed, and one broadcaster in each web process."""
