"""Flower's API: the same paths, parameters, keys, types and status codes as Flower 2.2.0. See docs/flower.md.

Pure are ``parameters.py``, ``search.py``, ``task_bodies.py`` and ``tasks.py``; views ask ``queries/`` and use
``control/``, as pages do.
"""
