"""THE table of icons: shapes in a box of 16 x 16, drawn as strokes in the colour of the text."""

from __future__ import annotations

_RING = '<circle cx="8" cy="8" r="5.5"/>'

ICONS = {
    "bookmark": '<path d="M4 2.5h8v11l-4-3-4 3z"/>',
    "cancelled": f'{_RING}<path d="m4.2 11.8 7.6-7.6"/>',
    "chevron": '<path d="m3.5 6 4.5 4.5L12.5 6"/>',
    "columns": '<path d="M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10"/>',
    "copy": '<rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M10.5 2.5h-7a1 1 0 0 0-1 1v7"/>',
    "cross": '<path d="m3.5 3.5 9 9m0-9-9 9"/>',
    "dashed-circle": '<circle cx="8" cy="8" r="5.5" stroke-dasharray="4.3 1.46"/>',
    "filter": '<path d="M2 4h12M4.5 8h7M6.5 12h3"/>',
    "info": f'{_RING}<path d="M8 7.5V11M8 5v.1"/>',
    "minus": '<path d="M3 8h10"/>',
    "minus-circle": f'{_RING}<path d="M5.5 8h5"/>',
    "pause": '<path d="M5.5 3v10M10.5 3v10"/>',
    "play": '<path d="M4.5 3v10l8-5z"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "question": '<path d="M5 5.5a3 3 0 1 1 4.3 2.7C8.4 8.7 8 9.2 8 10.2M8 13.5v.1"/>',
    "round-arrow": '<path d="M13 8.5A5 5 0 1 1 11.6 4.6L13 6M13 2.2V6H9.2"/>',
    "search": '<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5"/>',
    "stop": '<rect x="3.5" y="3.5" width="9" height="9" rx="1"/>',
    "table": '<path d="M2.5 3h11v10h-11zM2.5 6.5h11M6.5 6.5V13"/>',
    "tick": '<path d="m2.5 8.5 3.7 3.7 7.3-8"/>',
    "tray": '<path d="M8 2v7M4.5 6 8 9.5 11.5 6M2.5 13.5h11"/>',
    "warning": '<path d="M8 2 1.5 13.5h13zM8 6.5v3.3M8 11.8v.1"/>',
}

#: The icon of each state.
STATE_ICONS = {
    "PENDING": "dashed-circle",
    "RECEIVED": "tray",
    "STARTED": "play",
    "RETRY": "round-arrow",
    "SUCCESS": "tick",
    "FAILURE": "cross",
    "REVOKED": "cancelled",
    "REJECTED": "minus-circle",
    "LOST": "question",
}
