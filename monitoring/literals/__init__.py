"""Values as tasks print them: Python literals and JSON, read into a tree. Nothing is evaluated. Pure."""
