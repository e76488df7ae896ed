"""The demo's traffic: what a shop's tasks look like from the outside, incidents included."""
