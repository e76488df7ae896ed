"""Pictures and films of products, on the queue `media`."""

import time

from celery import shared_task

from monitoring import progress
from tasksdemo.shop import images


@shared_task(ignore_result=True)
def make_thumbnail(image_id: int, size: str = "800x800", simulate: str = "") -> dict[str, object]:
    """Shrink a picture. `simulate="corrupt"`: UnidentifiedImageError."""
    return images.resize(image_id, size, simulate=simulate)


@shared_task
def transcode_video(video_id: int, seconds: float = 12, codec: str = "av1") -> dict[str, object]:
    """Encode a film scene by scene, reporting progress twice a second, for `seconds` (at most 120)."""
    scenes = max(1, int(min(seconds, 120) * 2))
    for scene in range(1, scenes + 1):
        time.sleep(min(seconds, 120) / scenes)
        progress.report(scene, scenes, f"Encoding scene {scene} of {scenes}")
    return {"path": f"videos/{video_id}.{codec}.webm", "scenes": scenes}
