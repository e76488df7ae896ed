"""What beat is told to send, and when: entries of both kinds, their times, and what was missed. No database of ours."""
