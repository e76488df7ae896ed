"""What a reader looks for: text and URL -> tree of terms -> condition on tasks. docs/search.md is the reader's side.

The way through: :mod:`.words` cuts text into words, :mod:`.grammar` makes a :mod:`.tree` of them by the table of
:mod:`.fields` and the forms of :mod:`.values`; :mod:`.printing` goes back. :mod:`.question` is the same tree in a URL,
and :mod:`.editing` changes it term by term. All these are pure. :mod:`.compiler` alone knows Django.
"""
